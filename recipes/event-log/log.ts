import pino, { type DestinationStream, type Logger } from 'pino'

/** What stands in the place of a secret. */
const CENSOR = '[redacted]'

/**
 * A log in lines of JSON. What the library tells holds no secrets; what an application logs beside it may, so fields that are one by their name
 * are redacted, and of an error only what it is called and what it says is kept: errors of database drivers carry the statement with its values.
 * @param destination where the lines go @default standard output
 */
export function createLog(destination?: DestinationStream): Logger {
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['req.headers.authorization', 'req.headers.cookie', 'res.headers["set-cookie"]', 'password', '*.password'],
      censor: CENSOR,
    },
    serializers: { req: pino.stdSerializers.req, res: pino.stdSerializers.res, err: described },
  }
  return destination ? pino(options, destination) : pino(options)
}

interface Described {
  type: string
  message: string
  code?: unknown
  cause?: Described
}

/** An error without the fields that drivers add. */
function described(error: unknown): Described {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) }
  const { code } = error as NodeJS.ErrnoException
  return {
    type: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...(error.cause !== undefined && { cause: described(error.cause) }),
  }
}

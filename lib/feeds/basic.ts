import type { IncomingMessage } from 'node:http'
import { checkText } from '../options.ts'

/** What an Authorization header said. */
export type BasicCredentials = {
  username: string
  password: string
}

const TOKEN68 = /^[A-Za-z0-9+/]*={0,2}$/
const CONTROLS = /\p{Cc}/u

/**
 * The credentials of HTTP Basic (RFC 7617 §2) in a request: null where there are none that can be read, whatever is wrong with them. Bytes are
 * taken as UTF-8, else as Latin-1, which older clients send.
 */
export function readBasic(request: IncomingMessage): BasicCredentials | null {
  const values = authorizationsIn(request)
  const [, encoded] = /^basic +([^ ]+) *$/i.exec(values[0] ?? '') ?? []
  if (values.length !== 1 || encoded === undefined || !TOKEN68.test(encoded)) return null
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) return null
  const text = decode(bytes)
  const colon = text.indexOf(':')
  if (colon < 0 || CONTROLS.test(text)) return null
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** Whether a request carries an Authorization header at all. */
export function hasAuthorization(request: IncomingMessage): boolean {
  return request.headers.authorization !== undefined
}

/**
 * The challenge (RFC 7617 §2.1) for a realm: printable ASCII, quoted and escaped (RFC 9110 §5.6.4).
 * @throws OptionInvalid, naming `where`, on other characters
 */
export function basicChallenge(where: string, realm: unknown): string {
  checkText(
    where,
    'realm',
    realm,
    /^[\x20-\x7e]{1,256}$/,
    'must be 1 to 256 printable ASCII characters: browsers show it with the question for a password.',
  )
  return `Basic realm="${(realm as string).replace(/["\\]/g, '\\$&')}", charset="UTF-8"`
}

/** Node keeps the first of several Authorization headers; only the raw list shows that there were two. */
function authorizationsIn({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === 'authorization')
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}

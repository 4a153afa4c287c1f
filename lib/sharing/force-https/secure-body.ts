import { pipeline, Readable, Stream, Transform, type TransformCallback } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { SecureHtml, secureHtml } from './secure-html.ts'

/**
 * A body of Koa's whose page asks for its sub-resources over https: text and bytes at once, streams as they come. Null where it is no page but a
 * value to be sent as JSON, or nothing.
 */
export function secureBody(body: unknown): string | Buffer | Readable | null {
  if (typeof body === 'string') return secureHtml(body)
  if (Buffer.isBuffer(body)) return secureBytes(body)
  if (body instanceof Blob) return secureStream(Readable.fromWeb(body.stream()))
  if (body instanceof ReadableStream) return secureStream(Readable.fromWeb(body as NodeReadableStream))
  if (body instanceof Response)
    return secureStream(body.body ? Readable.fromWeb(body.body as NodeReadableStream) : Readable.from([]))
  if (isStream(body)) return secureStream(body)
  return null
}

function secureBytes(bytes: Buffer): Buffer {
  const page = bytes.toString('latin1')
  const secure = secureHtml(page)
  return secure === page ? bytes : Buffer.from(secure, 'latin1')
}

/** The failures of either end reach the other: Koa answers, or breaks off, as it would have done for the source. */
function secureStream(source: NodeJS.ReadableStream): Readable {
  return pipeline(source, new SecureStream(), () => {})
}

class SecureStream extends Transform {
  readonly #html = new SecureHtml()

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#send(done, () => this.#html.write(chunk.toString('latin1')))
  }

  override _flush(done: TransformCallback): void {
    this.#send(done, () => this.#html.end())
  }

  /** What is thrown out of a stream's method would end the process. */
  #send(done: TransformCallback, settled: () => string): void {
    let bytes: Buffer
    try {
      bytes = Buffer.from(settled(), 'latin1')
    } catch (error) {
      done(error as Error)
      return
    }
    done(null, bytes)
  }
}

/** What Koa takes for a stream. */
function isStream(body: unknown): body is NodeJS.ReadableStream {
  if (body instanceof Stream) return true
  const given = body as Partial<Readable> | null | undefined
  return typeof given?.pipe === 'function' && typeof given.read === 'function' && typeof given.destroy === 'function'
}

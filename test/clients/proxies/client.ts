import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import tls from 'node:tls'
import type { Certificate } from '../../servers/certificate.ts'

/** Where the clients of the proxies connect from, and whoever goes past the proxies: addresses that nobody lists. */
export const CLIENT = '127.0.0.3'
export const STRANGER = '127.0.0.2'

/** A request, byte for byte. */
export interface Ask {
  /** The lines behind the first one, which hold at least `Host` and `Connection: close`. */
  lines: readonly string[]
  /** The address that the connection comes from. */
  from: string
  /** What believes the server, over https. */
  certificate: Certificate
  /** What is asked for in place of the path of the address. @default the path */
  target?: string | undefined
}

/** What it was answered with. */
export interface Answer {
  status: number
  body: string
}

/** How long a server may be silent, in milliseconds. */
const PATIENCE = 20_000

/** Sends a GET to an address, and reads until the server closes. */
export function ask(address: string, { lines, from, certificate, target }: Ask): Promise<Answer> {
  const { protocol, hostname: host, port, pathname } = new URL(address)
  const to = { host, port: Number(port), localAddress: from }
  const bytes = Buffer.from([`GET ${target ?? pathname} HTTP/1.1`, ...lines, '', ''].join('\r\n'))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket =
      protocol === 'https:' ? tls.connect({ ...to, ca: readFileSync(certificate.certificate) }) : connect(to)
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error(`${address} does not answer`)))
    socket.on('data', chunk => chunks.push(chunk))
    // A server that refuses a request may close before it has read all of it.
    socket.on('error', error => (chunks.length > 0 ? undefined : reject(error)))
    socket.on('close', () => resolve(parsed(Buffer.concat(chunks).toString())))
    socket.write(bytes)
  })
}

function parsed(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.[01] (\d{3}) /.exec(text)?.[1] ?? 0), body: end < 0 ? '' : text.slice(end + 4) }
}

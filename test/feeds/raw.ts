import { connect } from 'node:net'

/** What a server sent on one connection. */
export interface RawAnswer {
  status: number
  /** The lines of the head, as they were sent. */
  head: string
  body: string
}

/** Sends bytes as they are, and reads until the server closes: a request in them must ask for `Connection: close`, unless it is no request. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    socket.on('data', chunk => chunks.push(chunk))
    // A server that refuses a request may close before it has read all of it.
    socket.on('error', error => (chunks.length > 0 ? undefined : reject(error)))
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)
      resolve({ status, head: text.slice(0, Math.max(0, end)), body: end < 0 ? '' : text.slice(end + 4) })
    })
    socket.write(bytes)
  })
}

/** A request without a body whose further header lines are sent as they are. */
export function rawRequest(port: number, path: string, lines: (string | Buffer)[], method = 'GET'): Promise<RawAnswer> {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...lines, '']
  return sendRaw(port, Buffer.concat(head.map(line => Buffer.concat([Buffer.from(line), Buffer.from('\r\n')]))))
}

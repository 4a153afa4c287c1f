import net from 'node:net'
import tls from 'node:tls'
import { Client } from 'ldapts'

/** Where a directory is, and how it is spoken to. */
export interface ConnectionOptions {
  /** As `ldaps://ldap.example.org`, or `ldap://ldap.example.org` with STARTTLS. */
  url: string
  /** Whether what begins as `ldap://` is encrypted (RFC 4513 §3) before anything is said: passwords go over it. @default true */
  startTls?: boolean | undefined
  /** Whom to trust, as `{ ca: readFileSync('ca.pem') }`. @default the certificates that Node brings */
  tls?: tls.ConnectionOptions | undefined
}

/** A connection that is used once: were it made again by itself, it would be anonymous, and see other things. */
export interface Connection {
  /** Speaks LDAP over the socket. */
  readonly client: Client
  readonly socket: net.Socket
  /** Resolves when it may be spoken over. */
  readonly ready: Promise<void>
}

/** Begins a connection, encrypted unless told otherwise. */
export function connect({ url, startTls = true, tls: trust }: ConnectionOptions): Connection {
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const encryption = { ...trust, host, ...(!net.isIP(host) && { servername: host }) }
  const isSecure = protocol === 'ldaps:'
  const socket = isSecure
    ? tls.connect({ ...encryption, port: Number(port || 636) })
    : net.connect({ host, port: Number(port || 389) })
  // Whoever asks is told by its end; an error that nobody waits for is nobody's.
  socket.on('error', () => {})
  // Every question that is under way listens for its end.
  socket.setMaxListeners(0)
  const own = () => socket
  const client = new Client({
    url,
    ...(isSecure ? { createSecureConnection: own as typeof tls.connect } : { createConnection: own }),
  })
  return { client, socket, ready: isSecure || !startTls ? Promise.resolve() : client.startTLS(encryption) }
}

/** Does what needs a socket, and gives it up when the socket is closed: by the other side, or since the signal aborts. */
export async function whileOpen<T>(socket: net.Socket, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const { promise: closed, reject } = Promise.withResolvers<never>()
  const end = () => socket.destroy()
  const lost = () => reject(signal.reason ?? socket.errored ?? new Error('The directory has closed the connection.'))
  signal.addEventListener('abort', end)
  socket.once('close', lost)
  if (signal.aborted) end()
  if (socket.closed) lost()
  try {
    // The client waits for ever for the end of a handshake on a socket that is gone.
    return await Promise.race([work(), closed])
  } finally {
    signal.removeEventListener('abort', end)
    socket.removeListener('close', lost)
  }
}

/** Says goodbye and closes, whatever the other side does. */
export async function disconnect({ client, socket }: Connection): Promise<void> {
  await client.unbind().catch(() => {})
  socket.destroy()
}

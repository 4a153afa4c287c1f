import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'

/** Below what systems hand out for outgoing connections: a server that is down for a while finds its port free when it comes back. */
const [FIRST, LAST] = [15_000, 32_000]

/** A port of the loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}

/**
 * What a server says first: after `greeting` was sent, or by itself. Empty where it does not answer in time, or refuses.
 * @param patience in milliseconds
 */
export function firstWords(port: number, greeting: string | Uint8Array = '', patience = 500): Promise<string> {
  return new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => greeting !== '' && socket.write(greeting))
    const answer = (words: string) => {
      socket.destroy()
      resolve(words)
    }
    socket.setTimeout(patience, () => answer(''))
    socket.once('data', data => answer(data.toString('latin1')))
    socket.once('error', () => answer(''))
    socket.once('close', () => answer(''))
  })
}

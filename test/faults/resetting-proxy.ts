import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'

/** A TCP proxy on a free port of the loopback that can reset what goes through it. */
export interface ResettingProxy {
  readonly port: number
  /** Resets (RST) every connection that is open now; new ones are taken. */
  reset(): void
}

/** @param port where the server behind it listens */
export async function startResettingProxy(t: ExecutionContext, port: number): Promise<ResettingProxy> {
  const open = new Set<net.Socket>()
  const proxy = net.createServer(client => {
    const server = net.connect(port, '127.0.0.1')
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const reset = () => {
    for (const socket of open) socket.resetAndDestroy()
  }
  t.teardown(() => {
    reset()
    proxy.close()
  })
  return { port: (proxy.address() as AddressInfo).port, reset }
}

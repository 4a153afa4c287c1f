import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'

/** A TCP proxy on a free port of the loopback that can fall silent, as a machine does that vanishes from the network. */
export interface SilentProxy {
  readonly port: number
  /** Lets nothing more through the connections that are open now, and leaves them open; new ones are taken. */
  silence(): void
}

/** @param port where the server behind it listens */
export async function startSilentProxy(t: ExecutionContext, port: number): Promise<SilentProxy> {
  const open = new Set<net.Socket>()
  let era = 0
  const proxy = net.createServer(client => {
    const server = net.connect(port, '127.0.0.1')
    const begun = era
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(one)
      one.on('data', data => begun === era && other.write(data))
      one.on('error', () => {})
      one.on('close', () => {
        open.delete(one)
        if (begun === era) other.destroy()
      })
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    proxy.close()
  })
  const silence = () => {
    era++
  }
  return { port: (proxy.address() as AddressInfo).port, silence }
}

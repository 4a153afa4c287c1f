import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'

/** A TCP proxy on a free port of the loopback that can end a connection in the middle of an answer. */
export interface CuttingProxy {
  readonly port: number
  /** Lets so many bytes of the next answer that has more through, and ends its connection. */
  cutAfter(bytes: number): void
}

/** @param port where the server behind it listens */
export async function startCuttingProxy(t: ExecutionContext, port: number): Promise<CuttingProxy> {
  let cut: number | null = null
  const proxy = net.createServer(client => {
    const server = net.connect(port, '127.0.0.1')
    let over = false
    server.on('data', data => {
      if (over) return
      over = cut !== null && data.length > cut
      client.write(over ? data.subarray(0, cut!) : data)
      if (!over) return
      cut = null
      client.end()
    })
    client.pipe(server)
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  return {
    port: (proxy.address() as AddressInfo).port,
    cutAfter: bytes => {
      cut = bytes
    },
  }
}

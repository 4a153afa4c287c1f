import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'

/** A TCP proxy on a free port of the loopback, and what networks do to connections. New connections are taken after each. */
export interface FaultyProxy {
  readonly port: number
  /** Resets (RST) every connection that is open now. */
  reset(): void
  /** Lets nothing more through the connections that are open now, and leaves them open: as a machine does that vanishes. */
  silence(): void
  /** Lets so many bytes of the next answer that has more through, and ends its connection. */
  cutAfter(bytes: number): void
}

/** @param port where the server behind it listens */
export async function startFaultyProxy(t: ExecutionContext, port: number): Promise<FaultyProxy> {
  const open = new Set<net.Socket>()
  let silences = 0
  let cut: number | null = null
  const proxy = net.createServer(client => {
    const server = net.connect(port, '127.0.0.1')
    const begun = silences
    const speaks = () => begun === silences
    let ended = false
    client.on('data', data => speaks() && server.write(data))
    server.on('data', data => {
      if (!speaks() || ended) return
      ended = cut !== null && data.length > cut
      client.write(ended ? data.subarray(0, cut!) : data)
      if (!ended) return
      cut = null
      client.end()
    })
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        open.delete(one)
        if (speaks()) other.destroy()
      })
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    proxy.close()
  })
  return {
    port: (proxy.address() as AddressInfo).port,
    reset() {
      for (const socket of open) socket.resetAndDestroy()
    },
    silence() {
      silences++
    },
    cutAfter(bytes) {
      cut = bytes
    },
  }
}

/** One process of the app, started by processes.ts: NODES, KEYS, NAME and PORT say what it is. It ends with whoever started it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createCounter } from './app.ts'

const { NODES = '', KEYS = '', NAME = '', PORT = '0' } = process.env
const { app, close } = await createCounter({ nodes: NODES.split(','), keys: KEYS.split(','), name: NAME })
app.silent = true
const server = createServer(app.callback())

function end(): void {
  server.close(close)
  server.closeIdleConnections()
}
process.once('disconnect', end)
// Ctrl-C reaches every process of a terminal; this one ends when it is told to.
process.on('SIGINT', () => {})

function tell(message: object): void {
  // Nobody is there to be told any more where another process could not start.
  process.send?.(message, () => {})
}

try {
  server.listen(Number(PORT), '127.0.0.1')
  await once(server, 'listening')
  tell({ port: (server.address() as AddressInfo).port })
} catch (error) {
  tell({ code: (error as NodeJS.ErrnoException).code })
  close()
}
if (!process.connected) end()

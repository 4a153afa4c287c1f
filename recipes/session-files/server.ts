/** One process of the app. PORT, DIRECTORY, SESSION_KEYS (separated by commas) and DEADLINE are what `createApp()` is handed. */
import type { AddressInfo } from 'node:net'
import { createApp } from './app.ts'

const { PORT = '0', DIRECTORY = 'sessions', SESSION_KEYS = '', DEADLINE = '500' } = process.env
const keys = SESSION_KEYS.split(',').map(key => key.trim())
const app = createApp({ directory: DIRECTORY, keys, deadline: Number(DEADLINE) })
const server = app.listen(Number(PORT), '127.0.0.1')
server.on('listening', () => {
  console.log(`Process ${process.pid} listens on http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})
server.on('error', error => {
  console.error(error.message)
  process.exit(1)
})

/** Lets requests that are running finish. */
function end(): void {
  server.close()
  server.closeIdleConnections()
}
process.on('SIGINT', end)
process.on('SIGTERM', end)

/**
 * One process of the app: PUBLIC_ORIGIN, DIRECTORY, KEYS (separated by commas), NAME, PORT and DEADLINE say what it is. It ends with whoever
 * started it, or by SIGTERM, and answers before that what it was asked.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createBoard } from './app.ts'
import { NOTICES } from './notices.ts'

const { DIRECTORY = '', KEYS = '', NAME = '', PORT = '3000', DEADLINE = '500' } = process.env
const deadline = Number(DEADLINE)
const app = createBoard({ directory: DIRECTORY, keys: KEYS.split(','), notices: NOTICES, name: NAME, deadline })
app.on('error', ({ expose, message }) => expose || console.error(message))
const server = createServer(app.callback()).listen(Number(PORT), '127.0.0.1')
await once(server, 'listening')
process.send?.('listening')

function end(): void {
  server.close()
  server.closeIdleConnections()
  if (process.connected) process.disconnect()
}
process.once('disconnect', end)
process.once('SIGTERM', end)
// Ctrl-C reaches every process of a terminal; this one ends when it is told to.
process.on('SIGINT', () => {})

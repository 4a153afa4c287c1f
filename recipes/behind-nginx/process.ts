/** One process of the app, started by processes.ts: DATABASE, DIRECTORY, KEY, ORIGIN, NAME and DEADLINE say what it is. It ends with whoever started it. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createChoir } from './app.ts'
import { openDatabase } from './database.ts'

const { DATABASE = '', DIRECTORY = '', KEY = '', ORIGIN = '', NAME = '', DEADLINE = '500' } = process.env
const database = openDatabase(DATABASE)
const app = createChoir({
  database,
  directory: DIRECTORY,
  keys: [KEY],
  origin: ORIGIN,
  name: NAME,
  deadline: Number(DEADLINE),
})
app.silent = true
const server = app.listen(0, '127.0.0.1')

function end(): void {
  server.close(() => database.destroy())
  server.closeIdleConnections()
}
process.once('disconnect', end)
// Ctrl-C reaches every process of a terminal; this one ends when it is told to.
process.on('SIGINT', () => {})

await once(server, 'listening')
process.send?.((server.address() as AddressInfo).port, () => {})
if (!process.connected) end()

/** Starts the job board on an SQLite file: `npm start`. DATABASE_FILE, PORT and SESSION_KEYS can be set. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createJobBoard } from './app.ts'
import { openDatabase, prepareDatabase } from './board/database.ts'
import { sessionKeys } from './keys.ts'
import { PartnerDirectory } from './partner.ts'
import { describeAccounts, describeCommands, partnerPeople, seed } from './seed.ts'

const HOST = '127.0.0.1'
const file = process.env.DATABASE_FILE ?? fileURLToPath(new URL('job-board.sqlite', import.meta.url))

const database = openDatabase(file)
await prepareDatabase(database)
await seed(database)

const keys = sessionKeys(process.env.SESSION_KEYS, `${file}.keys`)
const server = createServer().listen(Number(process.env.PORT ?? 3000), HOST)
server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EADDRINUSE')
    console.error('Something else listens there. Choose another port: PORT=3001 npm start')
  else console.error(error.message)
  process.exit(1)
})
await once(server, 'listening')
const origin = `http://${HOST}:${(server.address() as AddressInfo).port}`
const { app, users } = createJobBoard({
  database,
  keys,
  origin,
  partners: new PartnerDirectory(partnerPeople),
})
server.on('request', app.callback())

console.log(`The job board is at ${origin}/ with its data in ${file}\n`)
console.log(`${await describeAccounts(users)}\n`)
console.log(`${describeCommands(origin)}\n`)
console.log('Ctrl-C ends it.')

/** Lets requests that are running finish, then closes the database. */
function end(): void {
  server.close(() => database.destroy())
  server.closeIdleConnections()
}
process.once('SIGINT', end)
process.once('SIGTERM', end)

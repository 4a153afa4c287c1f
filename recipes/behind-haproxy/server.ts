/**
 * One process of the site. PORT, DIRECTORY, SESSION_KEYS (separated by commas), ORIGIN, NAME and DEADLINE are what `createPool()` is handed. SIGTERM
 * ends it without failing anybody: for NOTICE milliseconds it tells HAProxy that it ends, and still answers; then it takes no more, and ends
 * behind the last answer.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { createPool } from './app.ts'

const { PORT = '0', DIRECTORY = 'sessions', SESSION_KEYS = '', ORIGIN = '', NAME = 'process' } = process.env
const { NOTICE = '2000', DEADLINE = '500' } = process.env
const keys = SESSION_KEYS.split(',').map(key => key.trim())
const health = { isEnding: false }
const pool = createPool({ directory: DIRECTORY, keys, origin: ORIGIN, name: NAME, health, deadline: Number(DEADLINE) })

const server = pool.listen(Number(PORT), '127.0.0.1')
await once(server, 'listening')

async function end(notice: number): Promise<void> {
  health.isEnding = true
  await wait(notice)
  server.close()
}
process.once('SIGTERM', () => end(Number(NOTICE)))
// Ctrl-C reaches every process of a terminal; this one ends when it is told to, or with whoever has started it.
process.on('SIGINT', () => {})
process.once('disconnect', () => end(0))
process.channel?.unref()
process.send?.((server.address() as AddressInfo).port)

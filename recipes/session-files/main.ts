/** Starts two processes of the app on one directory: `npm run recipe -- session-files`. PORT, DIRECTORY, SESSION_KEYS and DEADLINE can be set. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { people } from './app.ts'

const directory = process.env.DIRECTORY ?? fileURLToPath(new URL('sessions', import.meta.url))
const first = Number(process.env.PORT ?? 3001)
const ports = first === 0 ? [0, 0] : [first, first + 1]
const keys = process.env.SESSION_KEYS ?? keptKey(`${directory}.key`)

const processes = new Set<ChildProcess>()
let ending = false

/** Starts a process, and again when something has killed it. */
function start(port: number): void {
  const env = { ...process.env, PORT: String(port), DIRECTORY: directory, SESSION_KEYS: keys }
  const started = fork(new URL('server.ts', import.meta.url), { env })
  processes.add(started)
  started.on('exit', (code, signal) => {
    processes.delete(started)
    if (ending) return
    console.log(`Process ${started.pid} has ended with ${signal ?? code}.`)
    if (signal !== null) return start(port)
    process.exitCode = 1
    end()
  })
}

function end(): void {
  if (ending) return
  ending = true
  for (const one of processes) one.kill('SIGTERM')
}

/** The key that signs the cookies, made once and kept for its owner alone: kept keys keep logins over a restart. */
function keptKey(file: string): string {
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8')
}

for (const port of ports) start(port)
process.on('SIGINT', end)
process.on('SIGTERM', end)

console.log(`Sessions are in ${directory}\n`)
for (const [name, password] of people) console.log(`  ${name.padEnd(6)} ${password}`)
console.log('\nCtrl-C ends both processes.\n')

/**
 * What 50 simultaneous logins cost everybody else: the p99 of another route and of a file read, beside those of an idle run and of a server
 * that hashes without the queue: `npm run bench:logins`. Every measurement has a server process of its own; the clients are in this one.
 * Figures and ratios are medians of the rounds. What is not answered in 2.5 seconds counts as that much. About a minute.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { verify } from '@node-rs/argon2'
import Koa from 'koa'
import { parseForeignHash, verifyForeignHash } from '../../lib/users/passwords/foreign-hashes.ts'
import { verifyPassword } from '../../lib/users/passwords.ts'

const ROUNDS = 5
/** How long one measurement lasts, in milliseconds. */
const LASTS = 1_000
const LOGINS = 50
/** How long a measurement waits for what it has asked for, in milliseconds. */
const LONGEST = 2_500
/** Between two requests for the same thing, in milliseconds. */
const PAUSE = 2

/** Nobody's password is right: a wrong one costs the same, and nothing besides. */
const HASHES: Readonly<Record<string, string>> = {
  argon2id: `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
  'PBKDF2, 260,000 rounds': `pbkdf2_sha256$260000$salt$${'A'.repeat(43)}=`,
}
const HOW = ['queued', 'all at once'] as const

interface Measured {
  /** p99 in milliseconds. */
  route: number
  file: number
  loginsPerSecond: number
}

/** The server: whoever asks for '/<how>/<hash>' has a password verified. */
async function serve(): Promise<void> {
  const app = new Koa()
  app.use(async ctx => {
    const [, how, hash = ''] = ctx.path.split('/').map(decodeURIComponent)
    if (how === 'file') ctx.body = await readFile(import.meta.filename)
    else if (how === 'queued') ctx.body = String(await verifyPassword('wrong', HASHES[hash]!))
    else if (how === 'all at once') ctx.body = String(await verifyAtOnce('wrong', HASHES[hash]!))
    else ctx.body = 'pong'
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.once('disconnect', () => process.exit())
  process.send!((server.address() as AddressInfo).port)
}

function verifyAtOnce(password: string, hash: string): Promise<boolean> {
  const foreign = parseForeignHash(hash)
  return foreign ? verifyForeignHash(Buffer.from(password), foreign) : verify(hash, password)
}

async function measure(how?: string, hash = ''): Promise<Measured> {
  const child = fork(import.meta.filename, ['serve'])
  const agent = new http.Agent({ keepAlive: true })
  let over = false
  try {
    const [port] = (await once(child, 'message')) as [number]
    const get = (path: string) =>
      new Promise<void>((resolve, reject) => {
        const request = http.get({ host: '127.0.0.1', port, path, agent }, answer => answer.resume().on('end', resolve))
        // Those that nobody waits for end with the server.
        request.on('error', error => (over ? resolve() : reject(error)))
      })
    for (let count = 0; count < 50; count++) await Promise.all([get('/ping'), get('/file')])
    let logins = 0
    const start = performance.now()
    if (how) {
      const path = `/${encodeURIComponent(how)}/${encodeURIComponent(hash)}`
      const logIn = async () => {
        for (; !over; logins++) await get(path)
      }
      for (let count = 0; count < LOGINS; count++) logIn()
    }
    const probe = async (path: string) => {
      const took: number[] = []
      while (performance.now() - start < LASTS || took.length === 0) {
        const begun = performance.now()
        await Promise.race([get(path), new Promise(resolve => setTimeout(resolve, LONGEST).unref())])
        took.push(Math.min(performance.now() - begun, LONGEST))
        await new Promise(resolve => setTimeout(resolve, PAUSE))
      }
      return took.sort((one, other) => one - other)[Math.floor(took.length * 0.99)]!
    }
    const [route, file] = await Promise.all([probe('/ping'), probe('/file')])
    over = true
    return { route, file, loginsPerSecond: (logins / (performance.now() - start)) * 1000 }
  } finally {
    agent.destroy()
    child.kill('SIGKILL')
  }
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1]!
}

async function compare(): Promise<void> {
  const idle: Measured[] = []
  const busy = new Map<string, Measured[]>()
  for (let round = 0; round < ROUNDS; round++) {
    idle.push(await measure())
    for (const hash of Object.keys(HASHES)) {
      for (const how of HOW) {
        const row = `${hash}, ${how}`
        busy.set(row, [...(busy.get(row) ?? []), await measure(how, hash)])
      }
    }
  }
  const of = (rounds: Measured[], figure: keyof Measured) => median(rounds.map(one => one[figure]))
  const ratio = (rounds: Measured[], figure: 'route' | 'file') =>
    median(rounds.map((one, round) => one[figure] / idle[round]![figure])).toFixed(1)
  console.log('| 50 logins at once | route p99 ms | ÷ idle | file p99 ms | ÷ idle | logins/s |')
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |')
  console.log(`| none: idle | ${of(idle, 'route').toFixed(2)} | 1 | ${of(idle, 'file').toFixed(2)} | 1 | |`)
  for (const [row, rounds] of busy) {
    const cells = [
      of(rounds, 'route').toFixed(2),
      ratio(rounds, 'route'),
      of(rounds, 'file').toFixed(2),
      ratio(rounds, 'file'),
      Math.round(of(rounds, 'loginsPerSecond')),
    ]
    console.log(`| ${[row, ...cells].join(' | ')} |`)
  }
}

await (process.argv[2] === 'serve' ? serve() : compare())

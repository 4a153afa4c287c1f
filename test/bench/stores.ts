/**
 * What each session store costs beside the plain client that it stands on, doing the same calls without the promises: `npm run bench`.
 * Private servers on this machine. Each round measures store and plain client one after the other; ratios are medians of the rounds.
 * Usage: node test/bench/stores.ts [store …]
 */
import { randomBytes } from 'node:crypto'
import type { SessionRecord } from '../../lib/sessions/store.ts'
import { SUBJECTS, type Subject } from './subjects.ts'

const ROUNDS = 5
/** How long one measurement lasts, in milliseconds. */
const LASTS = 500
const CONCURRENCY = 32
const SESSIONS = 1_000

const CALLS = ['read', 'replace', 'create'] as const
type Call = (typeof CALLS)[number]

interface Measured {
  perSecond: number
  /** In milliseconds. */
  p99: number
}

const newId = () => randomBytes(32).toString('hex')

/** About what a session with a login and a shopping cart holds: 400 bytes of JSON. */
function newRecord(): SessionRecord {
  const cart = Array.from({ length: 8 }, (_, item) => ({ item: `article-${item}`, count: item + 1 }))
  const login = { backend: 'sql', id: '12345', stamp: randomBytes(16).toString('base64url') }
  const data = { _created: Date.now(), _login: login, views: 17, cart }
  return { data, user: 'sql:12345', expiresAt: Date.now() + 3_600_000 }
}

async function measure(call: (turn: number, lane: number) => Promise<unknown>): Promise<Measured> {
  const took: number[] = []
  const end = performance.now() + LASTS
  const start = performance.now()
  const lane = async (_: unknown, number: number) => {
    for (let turn = 0; performance.now() < end; turn++) {
      const begun = performance.now()
      await call(turn, number)
      took.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
  took.sort((one, other) => one - other)
  return {
    perSecond: (took.length / (performance.now() - start)) * 1000,
    p99: took[Math.floor(took.length * 0.99)] ?? Number.NaN,
  }
}

async function round({ store, plain }: Subject, call: Call): Promise<Record<'store' | 'plain', Measured>> {
  const record = newRecord()
  const json = JSON.stringify(record)
  const versions = new Map<string, string>()
  const plainIds: string[] = []
  for (let index = 0; index < SESSIONS; index += CONCURRENCY) {
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        const [id, plainId] = [newId(), newId()]
        versions.set(id, (await store.create(id, record))!)
        await plain.create(plainId, json)
        plainIds.push(plainId)
      }),
    )
  }
  const ids = [...versions.keys()]
  // Each lane has sessions of its own: what is measured is the call, not the waiting for each other.
  const own = <Item>(list: Item[], turn: number, lane: number) =>
    list[(lane + turn * CONCURRENCY) % (list.length - (list.length % CONCURRENCY))]!
  const calls: Record<Call, Record<'store' | 'plain', (turn: number, lane: number) => Promise<unknown>>> = {
    read: {
      store: (turn, lane) => store.read(own(ids, turn, lane)),
      plain: (turn, lane) => plain.read(own(plainIds, turn, lane)),
    },
    replace: {
      store: async (turn, lane) => {
        const id = own(ids, turn, lane)
        versions.set(id, await store.replace(id, versions.get(id)!, record))
      },
      plain: (turn, lane) => plain.replace(own(plainIds, turn, lane), json),
    },
    create: { store: () => store.create(newId(), record), plain: () => plain.create(newId(), json) },
  }
  const first = await measure(calls[call].store)
  return { store: first, plain: await measure(calls[call].plain) }
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1]!
}

const wanted = process.argv.slice(2)
const ended: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => void ended.push(end) }
console.log('| store | call | ops/s | p99 ms | plain client ops/s | plain p99 ms | store ÷ plain |')
console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: |')
for (const [name, start] of Object.entries(SUBJECTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const subject = await start(owner)
  for (const call of CALLS) {
    await round(subject, call)
    const rounds: Record<'store' | 'plain', Measured>[] = []
    for (let count = 0; count < ROUNDS; count++) rounds.push(await round(subject, call))
    const of = (side: 'store' | 'plain', figure: keyof Measured) => median(rounds.map(one => one[side][figure]))
    const ratio = median(rounds.map(({ store, plain }) => store.perSecond / plain.perSecond))
    const cells = [
      Math.round(of('store', 'perSecond')),
      of('store', 'p99').toFixed(2),
      Math.round(of('plain', 'perSecond')),
      of('plain', 'p99').toFixed(2),
      ratio.toFixed(2),
    ]
    console.log(`| ${[name, call, ...cells].join(' | ')} |`)
  }
  await subject.close()
}
for (const end of ended) await end()

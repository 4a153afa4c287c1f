import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { type FileStore, fileStore } from '../../lib/sessions/stores/file.ts'
import { scaled } from '../scale.ts'
import { filesIn, newDirectory } from '../sessions/stores/file/setup.ts'
import { type Habit, type Mark, recordWith } from './file-writer.ts'
import type { FullDiskReport, Scarce } from './full-disk.ts'
import { killWriters, type Outcome } from './killed-writers.ts'

const HABITS: Habit[] = ['replace', 'create and destroy', 'touch', 'change users', 'expire and sweep']
const KILLS = scaled(200)
/** Writers of one directory at the same time. */
const BESIDE = 2
const HOUR = 3_600_000
/** How long a busy machine may take for one test, in milliseconds. */
const PATIENCE = 600_000

async function markOf(store: FileStore, id: string): Promise<Mark | 'torn'> {
  const found = await store.read(id)
  if (!found) return null
  const { mark } = found.data
  const whole = typeof mark === 'number' && JSON.stringify(found.data) === JSON.stringify(recordWith(mark, '').data)
  return whole ? mark : 'torn'
}

/** Sweeps, an hour later, until there is nothing more to sweep. */
async function sweepAll(store: FileStore, directory: string): Promise<void> {
  const moment = new Date(Date.now() - HOUR)
  for (const entry of await readdir(directory, { recursive: true }))
    await utimes(join(directory, entry), moment, moment)
  for (let sweeps = 0; sweeps < 3; sweeps++) await store.sweep(1000)
}

function sumOf(outcomes: Outcome[]): Outcome {
  const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0)
  return {
    acknowledged: sum(({ acknowledged }) => acknowledged),
    torn: sum(({ torn }) => torn),
    lost: sum(({ lost }) => lost),
    inFlight: { old: sum(({ inFlight }) => inFlight.old), new: sum(({ inFlight }) => inFlight.new) },
  }
}

for (const habit of HABITS) {
  // One after the other: each has two writers and the machine to itself.
  test.serial(
    `T5: file: of ${KILLS} × kill -9 of a process that does ${habit}, none tears or loses a session, and what it leaves behind goes.`,
    async t => {
      t.timeout(PATIENCE)
      const directory = await newDirectory(t)
      const store = fileStore(directory)
      const errand = { kind: 'store', directory, habit } as const
      const kills = Array.from({ length: BESIDE }, () => KILLS / BESIDE)
      const { acknowledged, inFlight, ...faults } = sumOf(
        await Promise.all(kills.map(count => killWriters(errand, count, id => markOf(store, id)))),
      )
      const before = await filesIn(directory)
      await sweepAll(store, directory)
      const after = await filesIn(directory)
      t.log({ ...faults, acknowledged, inFlight, filesBefore: before.length, filesAfter: after.length })
      t.deepEqual(faults, { torn: 0, lost: 0 })
      t.true(acknowledged > 0 && inFlight.old + inFlight.new > 0)

      const owners = ['sql:0', 'sql:1']
      const listed = (await Promise.all(owners.map(owner => store.list(owner)))).flat()
      const pointers = after.filter(file => file.includes('/at.'))
      const ids = pointers.map(file => file.split('/')[1])
      t.deepEqual(listed.map(({ id }) => id).sort(), ids.sort())
      const [contents, notes] = [
        after.filter(file => file.endsWith('.json')),
        after.filter(file => file.startsWith('users/')),
      ]
      t.deepEqual([contents.length, notes.length, after.length], [ids.length, ids.length, 3 * ids.length])
    },
  )
}

test.serial('T5: file: the control of the kills: of sessions that are written in place some are torn.', async t => {
  t.timeout(PATIENCE)
  const directory = await newDirectory(t)
  await mkdir(directory)
  const read = async (id: string): Promise<Mark | 'torn'> => {
    const text = await readFile(join(directory, id), 'utf8').catch(() => null)
    if (text === null) return null
    try {
      return JSON.parse(text).end
    } catch {
      return 'torn'
    }
  }
  const outcome = await killWriters({ kind: 'in place', directory, habit: 'replace' }, KILLS, read)
  t.log(outcome)
  t.true(outcome.torn > 0)
})

const run = promisify(execFile)
const NAMESPACES = [['--mount'], ['--user', '--map-root-user', '--mount']]

/** How to start a program that may mount. Root may, and so may everybody where the system lets them have a user namespace. */
async function mounting(): Promise<string[]> {
  for (const options of NAMESPACES) {
    const works = await run('unshare', [...options, 'true']).then(
      () => true,
      () => false,
    )
    if (works) return ['unshare', ...options]
  }
  throw new Error(
    'This test mounts a small disk, which this machine does not allow. Run it as root with CAP_SYS_ADMIN, or allow user namespaces.',
  )
}

for (const scarce of ['bytes', 'inodes'] as Scarce[]) {
  test.serial(
    `T5: file: a disk without ${scarce} means 503 with Retry-After for changes, old sessions are read, and with room all is well again.`,
    async t => {
      const [program, ...options] = await mounting()
      const script = fileURLToPath(new URL('full-disk.ts', import.meta.url))
      const disk = await newDirectory(t)
      const args = [...options, process.execPath, '--conditions=koa-strata:source', script, disk, scarce]
      const report: FullDiskReport = JSON.parse((await run(program!, args)).stdout)
      const { testimony, causes, meanwhile, back, afterwards, leftBehind } = report
      t.log({ ...testimony, back })
      const { statuses, publicStatuses, slowest, slowestPublic, acknowledged, ...harm } = testimony
      t.deepEqual(Object.keys(statuses), ['200', '503'])
      t.deepEqual(Object.keys(publicStatuses), ['200'])
      t.deepEqual(harm, { withoutRetryAfter: 0, loggedOut: [], lostChanges: [], uncalledFor: [], revived: [] })
      t.deepEqual(causes, ['ENOSPC'])
      const old = { status: 200, text: '{"user":"somebody","count":1}' }
      t.deepEqual(
        meanwhile.map(({ status }) => status),
        [200, 503, 503, 200],
      )
      t.deepEqual([meanwhile[0], meanwhile[3]], [old, old])
      t.deepEqual([meanwhile[1]!.retryAfter, meanwhile[2]!.retryAfter], ['2', '2'])
      t.true(back < 2000, `back after ${back} ms`)
      t.is(afterwards, '{"user":"somebody","count":2}')
      t.deepEqual(leftBehind, [])
    },
  )
}

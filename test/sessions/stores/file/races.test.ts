import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { ownerOf } from '../../../../lib/sessions/stores/file/pointer.ts'
import { fileStore } from '../../../../lib/sessions/stores/file.ts'
import { newId } from '../../../../lib/testing/store-under-test.ts'
import { scaled } from '../../../scale.ts'
import { inProcesses } from './processes.ts'
import { filesIn, newDirectory } from './setup.ts'

const PROCESSES = 4
const COUNTS = scaled(1000)
const SESSIONS = scaled(500)

const record = (data: object) => ({ data, user: 'sql:1', expiresAt: Date.now() + 3_600_000 })
const all = <Task>(task: Task) => Array.from({ length: PROCESSES }, () => task)
const isVersion = (answer: string | null) => answer !== null && answer !== 'changed' && answer !== 'gone'

async function storeWith(directory: string, count: number) {
  const store = fileStore(directory)
  const ids = Array.from({ length: count }, newId)
  const sessions = await Promise.all(
    ids.map(async id => ({ id, version: (await store.create(id, record({ count: 0 })))! })),
  )
  return { store, sessions }
}

test(`S6: file: ${PROCESSES} processes that count up in one session count to exactly ${PROCESSES * COUNTS}.`, async t => {
  const directory = await newDirectory(t)
  const { store, sessions } = await storeWith(directory, 1)
  await inProcesses(t, 'store', directory, all('count'), { sessions, times: COUNTS })
  t.is((await store.read(sessions[0]!.id))!.data.count, PROCESSES * COUNTS)
})

test('S6: file: the control of the counting: a store that reads, compares and renames loses counts.', async t => {
  const directory = await newDirectory(t)
  await mkdir(directory)
  const session = { id: newId(), version: 'first' }
  await writeFile(join(directory, session.id), JSON.stringify({ ...record({ count: 0 }), version: 'first' }))
  await inProcesses(t, 'without CAS', directory, all('count'), { sessions: [session], times: COUNTS })
  const { data } = JSON.parse(await readFile(join(directory, session.id), 'utf8'))
  t.log(`${data.count} of ${PROCESSES * COUNTS} counted`)
  t.true(data.count < PROCESSES * COUNTS)
})

test('T1: file: of the processes that create one id at once, exactly one wins, whether it was free or had expired.', async t => {
  const directory = await newDirectory(t)
  const { store, sessions: expired } = await storeWith(directory, SESSIONS)
  for (const { id } of expired) await store.touch(id, Date.now() - 1000)
  const sessions = [...expired, ...expired.map(() => ({ id: newId(), version: '' }))]
  const answers = (await inProcesses(t, 'store', directory, all('create'), { sessions })) as (string | null)[][]
  for (const [index, { id }] of sessions.entries()) {
    const winners = answers.flatMap((versions, process) => (isVersion(versions[index]!) ? [process] : []))
    t.is(winners.length, 1)
    const found = await store.read(id)
    t.deepEqual([found?.data, found?.version], [{ index: winners[0] }, answers[winners[0]!]![index]])
  }
})

test("T1: file: of the processes that replace one version at once, exactly one wins, and the others hear 'changed'.", async t => {
  const directory = await newDirectory(t)
  const { store, sessions } = await storeWith(directory, SESSIONS)
  const answers = (await inProcesses(t, 'store', directory, all('replace'), { sessions })) as string[][]
  for (const [index, { id }] of sessions.entries()) {
    const heard = answers.map(versions => versions[index]!)
    t.is(heard.filter(isVersion).length, 1)
    t.is(heard.filter(one => one === 'changed').length, PROCESSES - 1)
    const winner = heard.findIndex(isVersion)
    const found = await store.read(id)
    t.deepEqual([found?.data, found?.version], [{ index: winner }, heard[winner]])
  }
})

test('S2: file: what one process destroys stays gone, however often others are about to save it.', async t => {
  const directory = await newDirectory(t)
  const { store, sessions } = await storeWith(directory, scaled(200))
  const tasks = ['save', 'destroy', 'save', 'save'] as const
  const answers = await inProcesses(t, 'store', directory, tasks, { sessions, times: 10_000 })
  for (const { id } of sessions) t.is(await store.read(id), null)
  for (const index of [0, 2, 3]) t.true((answers[index] as string[]).every(answer => answer === 'gone'))
  t.deepEqual(await store.list('sql:1'), [])
  t.deepEqual(await filesIn(directory), [])
})

test("S10: file: ending all sessions of a user beside a session's change of users never ends one that is another's by then.", async t => {
  const directory = await newDirectory(t)
  const [store, other] = [fileStore(directory), fileStore(directory)]
  const seen = { kept: 0, ended: 0 }
  for (let round = 0; round < scaled(500); round++) {
    const id = newId()
    const version = (await store.create(id, record({})))!
    const change = store.replace(id, version, { ...record({}), user: 'sql:2' })
    for (let pause = 0; pause < round % 12; pause++) await stat(directory)
    const [answer] = await Promise.all([change, other.destroyAll('sql:1')])
    const found = await store.read(id)
    t.is(found?.user, isVersion(answer) ? 'sql:2' : undefined)
    seen[found ? 'kept' : 'ended']++
  }
  t.log(seen)
  t.is((await store.list('sql:2')).length, seen.kept)
})

test("S10: file: a session that goes to a user while a note from long ago is removed is in that user's list.", async t => {
  const directory = await newDirectory(t)
  const [store, other] = [fileStore(directory), fileStore(directory)]
  const owner = ownerOf('sql:2')
  const notes = join(directory, 'users', owner.slice(0, 2), owner)
  for (let round = 0; round < scaled(1000); round++) {
    const id = newId()
    const version = (await store.create(id, record({})))!
    await mkdir(notes, { recursive: true })
    await writeFile(join(notes, id), '')
    await utimes(join(notes, id), 0, 0)
    const change = store.replace(id, version, { ...record({}), user: 'sql:2' })
    for (let pause = 0; pause < round % 16; pause++) await stat(directory)
    await Promise.all([change, other.list('sql:2')])
    t.deepEqual(
      (await store.list('sql:2')).map(one => one.id),
      [id],
    )
    await store.destroy(id)
  }
})

test('A touch beside a sweep that clears up in the same session is not lost.', async t => {
  const directory = await newDirectory(t)
  const [store, other] = [fileStore(directory), fileStore(directory)]
  const id = newId()
  await store.create(id, record({}))
  for (let round = 0; round < scaled(1000); round++) {
    const expiresAt = Date.now() + 3_600_000 + round
    await writeFile(join(directory, id.slice(0, 2), id, '00000000-0000-4000-8000-000000000000.json'), '')
    const sweep = other.sweep(1)
    for (let pause = 0; pause < round % 12; pause++) await stat(directory)
    t.true(await store.touch(id, expiresAt))
    await sweep
    t.is((await store.read(id))?.expiresAt, expiresAt)
  }
})

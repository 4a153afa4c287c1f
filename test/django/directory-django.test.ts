import { readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises'
import test from 'ava'
import { directoryRecords } from '../../lib/django/directory-records.ts'
import { lifetimeOf } from '../../lib/django/lifetime.ts'
import type { DjangoRecords } from '../../lib/django/records.ts'
import { DjangoSessionForm } from '../../lib/django/session-form.ts'
import { DjangoKeys, DjangoSigning } from '../../lib/django/signing.ts'
import type { SessionData } from '../../lib/sessions/store.ts'
import { scaled } from '../scale.ts'
import { Visitor } from '../servers/django/visitor.ts'
import { type Django, startDjango } from '../servers/django.ts'
import { file } from '../servers/file-owner.ts'
import { COOKIE, pathOf, WHERE } from './directory/records.ts'
import { newKey, newSessionsFolder } from './directory/setup.ts'

const AGE = 14 * 86_400_000
const CHANGES = scaled(150)
const LOGOUTS = scaled(1000)

let site: Django
let form: DjangoSessionForm
let records: DjangoRecords

test.before('A Django site keeps its sessions in files, and this library shares them.', async () => {
  site = await startDjango(file, { sessions: 'file' })
  const signing = new DjangoSigning(new DjangoKeys(WHERE, site), 'django.contrib.sessions.SessionStore')
  form = new DjangoSessionForm(signing, { backend: 'django', authenticationBackends: ['a.Backend'] })
  records = recordsOf(site.sessionsDirectory)
})

function recordsOf(directory: string): DjangoRecords {
  const lifetime = { age: AGE, expireAtBrowserClose: false }
  const expiryOf = (text: string, modified: number) =>
    modified + (lifetimeOf(form.read(text)?.data ?? { _created: 0 }, modified, lifetime) ?? AGE)
  return directoryRecords(WHERE, directory, { cookieName: COOKIE, expiryOf, now: Date.now })
}

const textOf = (data: object) => form.write({ _created: 0, ...data }, Date.now())
const lasting = (data: object, milliseconds = AGE) => ({ text: textOf(data), expiresAt: Date.now() + milliseconds })
const valuesOf = (text: string): SessionData | undefined => form.read(text)?.data

function visitorOf(key: string): Visitor {
  const visitor = new Visitor(site.url)
  visitor.cookies.set(COOKIE, key)
  return visitor
}

/** Sees Django make a session. */
async function djangos(change: object): Promise<{ key: string; visitor: Visitor }> {
  const visitor = new Visitor(site.url)
  await visitor.post('/session', change)
  return { key: visitor.cookies.get(COOKIE)!, visitor }
}

/** Changes a session by what is read, until it is gone, or was changed so often after `isOver`. */
async function changing(key: string, isOver: () => boolean, swap: DjangoRecords['swap']): Promise<void> {
  for (let left = 20; left > 0; ) {
    const found = await records.read(key)
    if (!found) return
    if ((await swap(key, found.text, lasting({ left }))) === 'gone') return
    if (isOver()) left--
  }
}

test('Django reads the session that this library adds and changes, and this library what Django makes and changes.', async t => {
  const key = newKey()
  t.true(await records.add(key, lasting({ drink: 'Žatec ☕', times: [1, { two: null }] })))
  const visitor = visitorOf(key)
  t.deepEqual((await visitor.get('/session')).json.data, { drink: 'Žatec ☕', times: [1, { two: null }] })
  await visitor.post('/session', { set: { food: 'Knödel' }, delete: ['times'] })
  const { text } = (await records.read(key))!
  t.like(valuesOf(text), { drink: 'Žatec ☕', food: 'Knödel' })
  t.is(
    await records.swap(key, text, lasting({ ...valuesOf(text), food: 'none', long: 'x'.repeat(100_000) })),
    'swapped',
  )
  t.like((await visitor.get('/session')).json, { key, data: { drink: 'Žatec ☕', food: 'none' } })
  t.is(visitor.cookies.get(COOKIE), key)
  t.is(await records.remove(key), 'removed')
  t.like((await visitor.get('/session')).json, { key: null, data: {} })
})

test('S5: a session ends at the same moment on both sides, whoever has stored it, by its time of change.', async t => {
  const { key, visitor } = await djangos({ set: { a: 1 } })
  const { mtimeMs } = await stat(pathOf(site.sessionsDirectory, key))
  t.is((await records.read(key))?.expiresAt, Math.round(mtimeMs) + AGE)
  t.true(await records.touch(key, Date.now() + 60_000))
  t.deepEqual((await visitor.get('/session')).json.data, { a: 1 })
  t.true(await records.touch(key, Date.now() - 1))
  t.is(await records.read(key), null)
  // Django removes what has expired when it comes across it.
  t.deepEqual((await visitor.get('/session')).json.data, {})
  t.false((await readdir(site.sessionsDirectory)).includes(COOKIE + key))

  const own = await djangos({ set: { a: 1 }, expiry: 3600 })
  const path = pathOf(site.sessionsDirectory, own.key)
  const stored = (await stat(path)).mtimeMs
  const found = (await records.read(own.key))!
  t.is(found.expiresAt, Math.round(stored) + 3_600_000)
  const later = { text: textOf(valuesOf(found.text)!), expiresAt: Date.now() + 3_600_000 }
  t.is(await records.swap(own.key, found.text, later), 'swapped')
  t.is((await records.read(own.key))?.expiresAt, later.expiresAt)
  t.is((await own.visitor.get('/session')).json.expiry.age, 3600)
  const passed = stored / 1000 - 3601
  await utimes(path, passed, passed)
  t.is(await records.read(own.key), null)

  const closing = await djangos({ set: { a: 1 }, expiry: 0 })
  const closed = (await records.read(closing.key))!
  t.true(Math.abs(closed.expiresAt - Date.now() - AGE) < 60_000)
})

test('S5: a session with a moment of its own, as Django writes it from 4.1 on, ends then, whenever its file was stored.', async t => {
  const directory = await newSessionsFolder(t)
  const here = recordsOf(directory)
  const [key, end] = [newKey(), Date.now() + 3_600_000]
  const ending = new Date(end).toISOString().replace('Z', '000+00:00')
  await here.add(key, { text: textOf({ _session_expiry: ending }), expiresAt: end })
  t.is((await here.read(key))?.expiresAt, end)
  const path = pathOf(directory, key)
  await utimes(path, 1, 1)
  t.is((await here.read(key))?.expiresAt, end)
  await writeFile(path, textOf({ _session_expiry: new Date(Date.now() - 1).toISOString() }))
  t.is(await here.read(key), null)
})

test("Django's clearsessions removes what has expired here, and leaves what is under way here alone.", async t => {
  const [live, expired] = [newKey(), newKey()]
  await records.add(live, lasting({ a: 1 }))
  await records.add(expired, lasting({ a: 1 }, -1000))
  const ours = ['.koa-strata-unfinished', `.koa-strata-${COOKIE}${live}`]
  for (const name of ours) await writeFile(`${site.sessionsDirectory}/${name}`, 'x')
  await site.run('from django.core.management import call_command; call_command("clearsessions")')
  const names = await readdir(site.sessionsDirectory)
  for (const name of [...ours, COOKIE + live]) t.true(names.includes(name), name)
  t.false(names.includes(COOKIE + expired))
  t.is((await records.read(live))?.text.length, textOf({ a: 1 }).length)
  for (const name of ours) await rename(`${site.sessionsDirectory}/${name}`, `${site.folder}/${name}`)
})

test('T5: whoever reads while Django and this library change one session has a whole one, each time.', async t => {
  const { key, visitor } = await djangos({ set: { pad: 'x'.repeat(20_000) } })
  const isWhole = (data: SessionData | undefined) => data?.pad?.length === 20_000
  const seen = { here: 0, there: 0 }
  let [ours, isOver] = [0, false]
  const counting = async () => {
    for (let count = 0; count < CHANGES; count++) {
      t.is((await visitor.post('/count')).status, 200)
      // Django writes nothing while it answers that, and this library comes to it.
      const before = ours
      for (let asked = 0; ours === before && asked < 100; asked++, seen.there++)
        t.true(isWhole((await visitor.get('/session')).json.data))
    }
    isOver = true
  }
  const swapping = async () => {
    while (!isOver) {
      const { text } = (await records.read(key))!
      const next = lasting({ ...valuesOf(text), ours: (valuesOf(text)?.ours ?? 0) + 1 })
      if ((await records.swap(key, text, next)) === 'swapped') ours++
    }
  }
  const reading = async () => {
    const path = pathOf(site.sessionsDirectory, key)
    for (; !isOver; seen.here++) t.true(isWhole(valuesOf(await readFile(path, 'latin1'))))
  }
  await Promise.all([counting(), swapping(), reading()])
  const { django, ours: kept = 0 } = valuesOf((await records.read(key))!.text)!
  t.log({ seen, 'changes of Django': `${django} of ${CHANGES} kept`, 'changes of ours': `${kept} of ${ours} kept` })
  t.true(ours > 0)
  t.is(visitor.cookies.get(COOKIE), key)
})

for (const by of ['records', 'rename'] as const) {
  test.serial(
    `S2: of ${LOGOUTS} sessions that Django removes while they are changed here, ${by === 'records' ? 'none is back' : 'some are back where a rename alone puts the change in its place'}.`,
    async t => {
      const keys = Array.from({ length: LOGOUTS }, newKey)
      for (const key of keys) await writeFile(pathOf(site.sessionsDirectory, key), textOf({}), { mode: 0o600 })
      let isOver = false
      const swap: DjangoRecords['swap'] =
        by === 'records'
          ? records.swap
          : async (key, before, { text }) => {
              const path = pathOf(site.sessionsDirectory, key)
              if ((await readFile(path, 'latin1').catch(() => '')) !== before) return 'changed'
              await writeFile(`${path}_out_x`, text)
              await rename(`${path}_out_x`, path)
              return 'swapped'
            }
      const changes = keys.map(key => changing(key, () => isOver, swap))
      await site.run(
        `
      import time
      from django.contrib.sessions.backends.file import SessionStore
      for key in given:
          SessionStore().delete(key)
          time.sleep(0.002)
      `,
        keys,
      )
      // What is back is changed on and on.
      isOver = by === 'rename'
      await Promise.all(changes)
      const names = new Set(await readdir(site.sessionsDirectory))
      const back = keys.filter(key => names.has(COOKIE + key)).length
      t.log(`${back} of ${LOGOUTS} back`)
      if (by === 'records') t.is(back, 0)
      else t.true(back > 0)
    },
  )
}

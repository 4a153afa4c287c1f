import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { cp, lstat, mkdir, readdir, rename, rm, unlink, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { OptionInvalid } from '../../../lib/errors.ts'
import { parseContent } from '../../../lib/sessions/content.ts'
import type { SessionStore } from '../../../lib/sessions/store.ts'
import { openDirectory } from '../../../lib/sessions/stores/file/directory.ts'
import { FileHome } from '../../../lib/sessions/stores/file/home.ts'
import { RecordFile } from '../../../lib/sessions/stores/file/record.ts'
import { FileSessions } from '../../../lib/sessions/stores/file/sessions.ts'
import { fileStore } from '../../../lib/sessions/stores/file.ts'
import { newId } from '../../../lib/testing/store-under-test.ts'
import { filesIn, newDirectory } from './file/setup.ts'

// The tests of this file have a process of their own: none of what they make may be closed by chance.
process.umask(0)

const HOUR = 3_600_000
const record = (data: object = {}, user: string | null = null) => ({ data, user, expiresAt: Date.now() + HOUR })
const placeOf = (directory: string, id: string) => join(directory, id.slice(0, 2), id)

/** Sets a file's or directory's time so many milliseconds back. */
async function age(path: string, milliseconds = HOUR): Promise<void> {
  const moment = new Date(Date.now() - milliseconds)
  await utimes(path, moment, moment)
}

test('T5: file: directories are 0700 and files 0600, though the umask closes nothing.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const id = newId()
  const version = (await store.create(id, record({}, 'sql:1')))!
  await store.replace(id, version, record({}, 'sql:2'))
  await store.touch(id, Date.now() + 2 * HOUR)
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  t.true(entries.length > 8)
  for (const entry of [...entries.map(({ parentPath, name }) => join(parentPath, name)), directory]) {
    const found = await lstat(entry)
    t.is(found.mode & 0o7777, found.isDirectory() ? 0o700 : 0o600, entry)
  }
})

test('T5: file: names tell neither ids nor users nor what is in a session, and are short.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const user = 'ldap:cn=Ada Lovelace, ou=../../etc/passwd'
  const version = (await store.create(newId(), record({ secret: 'swordfish' }, user)))!
  t.truthy(version)
  for (const file of await filesIn(directory)) {
    t.regex(
      file,
      /^(users\/)?[\da-f]{2}\/[\da-f]{64}\/([\da-f]{64}|[\da-f-]{36}\.json|at\.\d+\.\d+\.[\da-f-]{36}\.[\da-f]{64})$/,
    )
    t.true(basename(file).length < 140)
  }
})

const NO_IDS = [
  '',
  '..',
  '../../etc/passwd',
  'a'.repeat(63),
  'A'.repeat(64),
  `${'a'.repeat(64)}\n`,
  `${'a'.repeat(60)}/../`,
  'users',
]

test('T5: file: an id that is not 64 lower-case hex digits is refused by every call, and makes nothing.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const before = await readdir(dirname(directory), { recursive: true })
  for (const id of [...NO_IDS, undefined, null, 7, ['a'.repeat(64)]] as string[]) {
    const calls = [
      () => store.read(id),
      () => store.create(id, record({}, 'sql:1')),
      () => store.replace(id, 'x', record()),
      () => store.touch(id, Date.now()),
      () => store.destroy(id),
    ]
    for (const call of calls)
      await t.throwsAsync(call(), { instanceOf: RangeError, message: /64 lower-case hex digits/ })
  }
  t.deepEqual(await readdir(dirname(directory), { recursive: true }), before)
})

test('An expiry that is no moment is refused, and stores nothing.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const id = newId()
  for (const expiresAt of [Number.NaN, Number.POSITIVE_INFINITY, 1e300])
    await t.throwsAsync(store.create(id, { ...record({}, 'sql:1'), expiresAt }), { instanceOf: RangeError })
  t.deepEqual(await filesIn(directory), [])
})

test('The directory is made where there is none, and sessions in it outlive the store.', async t => {
  const directory = join(await newDirectory(t), 'deeper', 'still')
  const id = newId()
  await fileStore(directory).create(id, record({ kept: true }))
  t.deepEqual((await fileStore(directory).read(id))?.data, { kept: true })
})

test('A path that is relative stays what it was when the working directory changes.', async t => {
  const parent = dirname(await newDirectory(t))
  const before = process.cwd()
  process.chdir(parent)
  const store = fileStore('relative')
  process.chdir(before)
  const id = newId()
  await store.create(id, record())
  t.truthy(await fileStore(join(parent, 'relative')).read(id))
})

for (const mode of [0o755, 0o750, 0o770, 0o701, 0o777, 0o1777]) {
  test(`T5: file: a directory of mode ${mode.toString(8)} is refused, with the line that closes it.`, async t => {
    const directory = await newDirectory(t)
    mkdirSync(directory)
    chmodSync(directory, mode)
    const error = t.throws(() => fileStore(directory), {
      instanceOf: OptionInvalid,
      message: /option 'directory' is open to others/,
    })
    t.true(error.message.includes(`chmod 700 '${directory}'`))
    chmodSync(directory, 0o700)
    t.notThrows(() => fileStore(directory))
  })
}

test("T5: file: another user's directory is refused, with the line that hands it over.", async t => {
  const us = process.geteuid!()
  // Whoever is not root has nothing to hand over, and one that is root's.
  const directory = us === 0 ? await newDirectory(t) : '/usr'
  const them = us === 0 ? 65_534 : 0
  if (us === 0) {
    mkdirSync(directory, { mode: 0o700 })
    chownSync(directory, them, them)
  }
  const { message } = t.throws(() => fileStore(directory), { instanceOf: OptionInvalid })
  t.true(message.includes(`belongs to another user (${them}). Hand it over: chown ${us} '${directory}'`), message)
})

test('T5: file: a umask that takes from the owner is told at construction.', async t => {
  const directory = await newDirectory(t)
  const before = process.umask(0o077)
  t.notThrows(() => fileStore(join(directory, 'one')))
  process.umask(0o277)
  mkdirSync(join(directory, 'two'))
  chmodSync(join(directory, 'two'), 0o700)
  t.throws(() => fileStore(join(directory, 'two')), {
    instanceOf: OptionInvalid,
    message: /must take the mode 700, and '.+\/new' got 500/,
  })
  process.umask(before)
})

test('What is no directory, and what is no path, is refused by name.', async t => {
  const directory = await newDirectory(t)
  writeFileSync(directory, '')
  for (const wrong of [
    undefined,
    null,
    7,
    {},
    ['x'],
    '',
    'a\0b',
    new URL('file:///tmp'),
    directory,
    join(directory, 'below'),
  ])
    t.throws(() => fileStore(wrong as string), {
      instanceOf: OptionInvalid,
      message: /^fileStore\(\): option 'directory' /,
    })
  t.throws(() => fileStore(`${directory}x`, { directory } as never), {
    instanceOf: OptionInvalid,
    message: /'directory' is unknown/,
  })
  t.throws(() => fileStore(`${directory}x`, { now: 5 } as never), {
    instanceOf: OptionInvalid,
    message: /'now' must be a function/,
  })
})

test('A symbolic link is followed once: turned elsewhere later, it takes the store nowhere.', async t => {
  const directory = await newDirectory(t)
  const [one, other, link] = ['one', 'other', 'link'].map(name => join(dirname(directory), name)) as [
    string,
    string,
    string,
  ]
  mkdirSync(one, { mode: 0o700 })
  mkdirSync(other, { mode: 0o755 })
  symlinkSync(one, link)
  const store = fileStore(link)
  await unlink(link)
  symlinkSync(other, link)
  const id = newId()
  await store.create(id, record())
  t.truthy(await fileStore(one).read(id))
  t.deepEqual(await readdir(other), [])
  t.throws(() => fileStore(link), { instanceOf: OptionInvalid, message: /open to others/ })
})

const CORRUPT = [
  '',
  'not json',
  '{"user":null,"data":',
  '[1]',
  '"text"',
  '12',
  'null',
  'true',
  '\u0000',
  '{"user":"sql:1"}',
  '{"user":"sql:1","data":null}',
  '{"user":"sql:1","data":[]}',
]
for (const text of CORRUPT) {
  test(`T2: A file that holds ${JSON.stringify(text)} is answered so that the layer drops it.`, async t => {
    const directory = await newDirectory(t)
    const store = fileStore(directory)
    const id = newId()
    const version = (await store.create(id, record({}, 'sql:1')))!
    await writeFile(join(placeOf(directory, id), `${version}.json`), text)
    const found = await store.read(id)
    t.is(found?.version, version)
    t.is(parseContent(found!.data), 'corrupt')
    t.is((found!.data as { _epoch?: unknown })._epoch, undefined)
    const [listed] = await store.list('sql:1')
    t.is(parseContent(listed!.data), 'corrupt')
    const next = await store.replace(id, version, record({ mended: true }))
    t.deepEqual((await store.read(id))?.data, { mended: true })
    t.is((await store.read(id))?.version, next)
  })
}

test('T2: A session whose content is gone is corrupt, can be replaced, listed and ended.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const ids = [newId(), newId()] as const
  for (const id of ids) {
    const version = (await store.create(id, record({}, 'sql:1')))!
    await unlink(join(placeOf(directory, id), `${version}.json`))
    t.is(parseContent((await store.read(id))!.data), 'corrupt')
  }
  t.is((await store.list('sql:1')).length, 2)
  const { version } = (await store.read(ids[0]))!
  await store.replace(ids[0], version, record({ mended: true }))
  t.deepEqual((await store.read(ids[0]))?.data, { mended: true })
  await store.destroyAll('sql:1')
  t.is(await store.read(ids[1]), null)
})

test('A backup that was made while a session changed is read, and the next change clears it up.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const id = newId()
  const first = (await store.create(id, record({ count: 1 })))!
  const saved = `${directory}-saved`
  await cp(placeOf(directory, id), saved, { recursive: true })
  const second = await store.replace(id, first, { ...record({ count: 2 }), expiresAt: Date.now() + 2 * HOUR })
  await cp(saved, placeOf(directory, id), { recursive: true })
  const found = (await store.read(id))!
  t.deepEqual([found.data, found.version], [{ count: 2 }, second])
  const third = await store.replace(id, second, record({ count: 3 }))
  t.deepEqual([(await store.read(id))?.version, (await readdir(placeOf(directory, id))).length], [third, 2])
})

test('Names that are not its own are left alone.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const id = newId()
  await store.create(id, record({ mark: 1 }, 'sql:1'))
  const foreign = [
    '.gitkeep',
    'lost+found',
    'zz',
    join(id.slice(0, 2), 'notes.txt'),
    join(id.slice(0, 2), id, '.nfs0001'),
  ]
  for (const name of foreign) await writeFile(join(directory, name), 'kept')
  t.is(await store.sweep(100), 0)
  t.deepEqual((await store.read(id))?.data, { mark: 1 })
  t.is((await store.list('sql:1')).length, 1)
  const files = await filesIn(directory)
  for (const name of foreign) t.true(files.includes(name), name)
})

test('Emptied by hand, the directory is an empty store, and works on.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const id = newId()
  await store.create(id, record({}, 'sql:1'))
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true })
  t.is(await store.read(id), null)
  t.deepEqual(await store.list('sql:1'), [])
  t.is(await store.sweep(100), 0)
  const version = (await store.create(id, record({ again: 1 }, 'sql:1')))!
  for (const name of ['new', 'users']) await rm(join(directory, name), { recursive: true })
  t.truthy(await store.replace(id, version, record({ again: 2 }, 'sql:2')))
  t.is((await store.list('sql:2')).length, 1)
})

test('A directory that is gone is an error for every call, never an absence, until it is back.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const id = newId()
  const version = (await store.create(id, record({}, 'sql:1')))!
  await rename(directory, `${directory}-away`)
  const calls: Record<string, () => Promise<unknown>> = {
    read: () => store.read(id),
    create: () => store.create(newId(), record({}, 'sql:1')),
    replace: () => store.replace(id, version, record()),
    touch: () => store.touch(id, Date.now() + HOUR),
    destroy: () => store.destroy(id),
    list: () => store.list('sql:1'),
    destroyAll: () => store.destroyAll('sql:1'),
    sweep: () => store.sweep(10),
  }
  for (const [name, call] of Object.entries(calls))
    await t.throwsAsync(call(), { message: /is gone, or another file system/ }, name)
  await t.throwsAsync(lstat(directory), { code: 'ENOENT' })
  await rename(`${directory}-away`, directory)
  t.is((await store.read(id))?.version, version)
})

test('What a killed process was about to store goes with the next touch, replace, end or sweep.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const ways: Record<string, (id: string, version: string) => Promise<unknown>> = {
    touch: id => store.touch(id, Date.now() + HOUR),
    replace: (id, version) => store.replace(id, version, record()),
    destroy: id => store.destroy(id),
    sweep: () => store.sweep(100),
  }
  for (const [way, run] of Object.entries(ways)) {
    const id = newId()
    const version = (await store.create(id, record()))!
    const left = join(placeOf(directory, id), '00000000-0000-4000-8000-000000000000.json')
    await writeFile(left, '{"user":null,"data":{}}')
    t.is((await store.read(id))?.version, version)
    await run(id, version)
    await t.throwsAsync(lstat(left), { code: 'ENOENT' }, way)
  }
})

test('A replace that was frozen before its last step fails after any change, and what it had written is never current.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const home = new FileHome(openDirectory(directory))
  const sessions = new FileSessions(home)
  const changes: Record<string, (id: string, version: string) => Promise<unknown>> = {
    touch: id => store.touch(id, Date.now() + 2 * HOUR),
    'touch to the same expiry': async id => store.touch(id, (await store.read(id))!.expiresAt),
    'two touches, there and back': async id => {
      const { expiresAt } = (await store.read(id))!
      await store.touch(id, 1 + expiresAt)
      await store.touch(id, expiresAt)
    },
    replace: (id, version) => store.replace(id, version, record({ mark: 'other' })),
    'destroy and create': async id => {
      await store.destroy(id)
      await store.create(id, record({ mark: 'other' }))
    },
    destroy: id => store.destroy(id),
  }
  for (const [what, change] of Object.entries(changes)) {
    const id = newId()
    const version = (await store.create(id, record({ mark: 'first' })))!
    const seen = (await sessions.look(id))!
    await change(id, version)
    const before = await store.read(id)
    t.is(await sessions.supersede(id, seen, new RecordFile(home, record({ mark: 'late' }))), null, what)
    t.deepEqual(await store.read(id), before, what)
  }
  t.deepEqual(
    (await filesIn(directory)).filter(file => file.startsWith('new/')),
    [],
  )
})

test('What killed processes have left unfinished goes with a sweep once it is old, and not before.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const unfinished = ['file', 'young file'].map(name => join(directory, 'new', name)) as [string, string]
  for (const path of unfinished) await writeFile(path, '{')
  const stages = ['stage', 'young stage'].map(name => join(directory, 'new', name)) as [string, string]
  for (const path of stages) {
    await mkdir(path)
    await writeFile(join(path, 'content'), '{')
  }
  await Promise.all([age(unfinished[0]), age(stages[0])])
  t.is(await store.sweep(1), 0)
  t.deepEqual((await readdir(join(directory, 'new'))).sort(), ['young file', 'young stage'])
})

test('What is left of an ended session makes room for a new one.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const [empty, remains, swept, young] = [newId(), newId(), newId(), newId()]
  await mkdir(placeOf(directory, empty), { recursive: true })
  t.truthy(await store.create(empty, record()))
  for (const id of [remains, swept, young]) {
    await mkdir(placeOf(directory, id), { recursive: true })
    await writeFile(join(placeOf(directory, id), '00000000-0000-4000-8000-000000000000.json'), '{}')
    await age(placeOf(directory, id), id === young ? -HOUR : 10_000)
    t.is(await store.read(id), null)
  }
  t.truthy(await store.create(remains, record()))
  t.is(await store.sweep(100), 0)
  await t.throwsAsync(lstat(placeOf(directory, swept)), { code: 'ENOENT' })
  // Somebody may be at it.
  t.is((await readdir(placeOf(directory, young))).length, 1)
  t.truthy(await store.read(remains))
})

test('What is in the way of a session and is none is an error that is told.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const id = newId()
  const inTheWay = join(placeOf(directory, id), 'notes.txt')
  await mkdir(dirname(inTheWay), { recursive: true })
  await writeFile(inTheWay, '')
  await t.throwsAsync(store.create(id, record()), { message: /something else is in its place/ })
  t.is(await store.read(id), null)
  await unlink(inTheWay)
  t.truthy(await store.create(id, record()))
})

test("Notes of a user's sessions that are out of date are believed by nobody, and go once they are old.", async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const [own, others, gone] = [newId(), newId(), newId()]
  await store.create(own, record({}, 'sql:1'))
  await store.create(others, record({}, 'sql:2'))
  const [note] = (await filesIn(join(directory, 'users'))).filter(file => file.endsWith(own))
  const notes = join(directory, 'users', dirname(note!))
  const idsListed = async () => (await store.list('sql:1')).map(({ id }) => id)
  for (const id of [others, gone]) await writeFile(join(notes, id), '')
  t.deepEqual(await idsListed(), [own])
  t.is((await readdir(notes)).length, 3)
  for (const id of [own, others]) await age(join(notes, id))
  t.deepEqual(await idsListed(), [own])
  t.deepEqual((await readdir(notes)).sort(), [own, gone].sort())
  await age(join(notes, gone))
  for (let sweeps = 0; sweeps < 2; sweeps++) await store.sweep(100)
  t.deepEqual(await readdir(notes), [own])
  await store.destroyAll('sql:1')
  await t.throwsAsync(lstat(notes), { code: 'ENOENT' })
  t.truthy(await store.read(others))
})

test('Users whose keys differ in half a character are two users.', async t => {
  const store = fileStore(await newDirectory(t))
  const users = ['x:\ud83d', 'x:\ud83e', 'x:\ufffd']
  for (const user of users) await store.create(newId(), record({ user }, user))
  for (const user of users)
    t.deepEqual(
      (await store.list(user)).map(one => [one.user, one.data]),
      [[user, { user }]],
    )
})

test("A note of a user's session that was lost is made again by a sweep.", async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const id = newId()
  await store.create(id, record({}, 'sql:1'))
  await rm(join(directory, 'users'), { recursive: true })
  t.deepEqual(await store.list('sql:1'), [])
  await store.sweep(1)
  t.deepEqual(
    (await store.list('sql:1')).map(one => one.id),
    [id],
  )
})

test('A sweep looks at a part, the next goes on there, and after some all were looked at.', async t => {
  const directory = await newDirectory(t)
  const store = fileStore(directory)
  const ids = Array.from({ length: 450 }, newId)
  await Promise.all(ids.map(id => store.create(id, record())))
  const expired = ids.slice(0, 10)
  for (const id of expired) await store.touch(id, Date.now() - 1000)
  const counts = []
  for (let sweeps = 0; sweeps < 5; sweeps++) counts.push(await store.sweep(20))
  t.is(
    counts.reduce((sum, count) => sum + count),
    10,
  )
  t.true(Math.max(...counts) < 10, `${counts}`)
  for (const id of ids.slice(10)) t.truthy(await store.read(id))
})

test('Processes whose clocks differ agree on everything but what has expired.', async t => {
  const directory = await newDirectory(t)
  const slow = fileStore(directory, { now: () => Date.now() - 10 * HOUR })
  const fast = fileStore(directory, { now: () => Date.now() + 10 * HOUR })
  const id = newId()
  const lasting = (data: object) => ({ ...record(data), expiresAt: Date.now() + 100 * HOUR })
  const first = (await slow.create(id, lasting({ count: 1 })))!
  const second = await fast.replace(id, first, lasting({ count: 2 }))
  t.is(await slow.replace(id, first, lasting({ count: 3 })), 'changed')
  t.is((await slow.read(id))?.version, second)
  await slow.touch(id, Date.now())
  t.deepEqual([(await slow.read(id))?.version, await fast.read(id)], [second, null])
  const third = (await fast.create(id, lasting({ count: 4 })))!
  t.is(await slow.replace(id, second, lasting({ count: 5 })), 'changed')
  t.is((await slow.read(id))?.version, third)
})

const OUT_OF_FILES = `
  import { randomBytes } from 'node:crypto'
  import { fileStore } from 'koa-strata/stores/file'
  const store = fileStore(process.argv[1])
  const ids = Array.from({ length: 400 }, () => randomBytes(32).toString('hex'))
  const record = { data: { mark: 1 }, user: 'sql:1', expiresAt: Date.now() + 3600000 }
  const told = {}
  const tell = answer => (told[answer] = (told[answer] ?? 0) + 1)
  const round = call => Promise.all(ids.map(id => call(id).then(answer => tell(answer === null ? 'null' : 'answer'), error => tell(error.code))))
  const { open } = await import('node:fs/promises')
  const hogs = []
  for (const id of ids) await store.create(id, record)
  try { for (;;) hogs.push(await open(process.execPath)) } catch {}
  await round(id => store.read(id))
  await round(id => store.list('sql:1'))
  for (const hog of hogs) await hog.close()
  const during = { ...told }
  await round(id => store.read(id))
  console.log(JSON.stringify({ during, back: told.answer - (during.answer ?? 0) }))
`

test('A process that has no file left to open rejects, tells no session absent, and is back with the first free one.', async t => {
  const directory = await newDirectory(t)
  const args = ['--conditions=koa-strata:source', '--input-type=module', '-e', OUT_OF_FILES, directory]
  const line = `ulimit -n 60; exec "$@"`
  const { stdout } = await promisify(execFile)('sh', ['-c', line, 'sh', process.execPath, ...args])
  const { during, back } = JSON.parse(stdout)
  t.log(during)
  t.deepEqual([during.null, back], [undefined, 400])
  t.true(during.EMFILE > 0)
})

test('A store that is handed in needs nothing of what it was made of: its methods work by themselves.', async t => {
  const { read, create, list, sweep }: SessionStore = fileStore(await newDirectory(t))
  const id = newId()
  await create(id, record({ mark: 1 }, 'sql:1'))
  t.deepEqual((await read(id))?.data, { mark: 1 })
  t.is((await list!('sql:1')).length, 1)
  t.is(await sweep!(1), 0)
})

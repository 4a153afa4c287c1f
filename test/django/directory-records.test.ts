import { execFileSync } from 'node:child_process'
import { chmod, chown, mkdir, readdir, readFile, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { inspect } from 'node:util'
import test from 'ava'
import { directoryRecords } from '../../lib/django/directory-records.ts'
import type { DjangoRecords } from '../../lib/django/records.ts'
import { DjangoSettingUnsupported, OptionInvalid } from '../../lib/errors.ts'
import { sessionStoreChecks } from '../../lib/testing/index.ts'
import { scaled } from '../scale.ts'
import { program } from '../servers/program.ts'
import { filesIn } from '../sessions/stores/file/setup.ts'
import { handedClock } from '../sessions/stores/setups.ts'
import { COOKIE, HOUR, lasting, pathOf, recordsIn, WHERE } from './directory/records.ts'
import { newKey, newSessionsFolder, storeSessions } from './directory/setup.ts'
import { recordsStore } from './records-store.ts'

/** What is about the form of data, which is not that of records, and, but in `npm run soak`, what stores a thousand times. */
const LEFT_OUT = scaled(1000) === 1000 ? /as it was\.$/ : /as it was\.$|thousand|^Of many who/

async function everything(records: DjangoRecords): Promise<{ key: string; text: string }[]> {
  const found = []
  for await (const one of records.all()) found.push(one)
  return found
}

/** Every call, in an order in which each that succeeds leaves the next one something to do. */
function callsOf(records: DjangoRecords, key: string): Record<string, () => Promise<unknown>> {
  return {
    read: () => records.read(key),
    add: () => records.add(newKey(), lasting('new')),
    swap: () => records.swap(key, '0', lasting('0')),
    touch: () => records.touch(key, Date.now() + HOUR),
    all: () => everything(records),
    'remove of a text': () => records.remove(key, '0'),
    remove: () => records.remove(key),
  }
}

test.serial(
  "What killed processes left in Django's folder goes with a change once it is old; what is Django's stays.",
  async t => {
    const { now } = Date
    t.teardown(() => {
      Date.now = now
    })
    const directory = await newSessionsFolder(t)
    const [key = ''] = await storeSessions(directory, 1, 'at 0')
    const djangos = [`${COOKIE}${key}`, `${COOKIE}${key}_out_abcdefgh`, '.koa', 'notes.txt']
    const left = [`.koa-strata-${newKey()}`, join(`.koa-strata-${COOKIE}${newKey()}`, newKey())]
    await mkdir(join(directory, dirname(left[1]!)))
    for (const name of [...djangos.slice(1), ...left]) await writeFile(join(directory, name), '')
    const swapAt = (records: DjangoRecords, from: number, to: number) => {
      Date.now = () => now() + to
      return records.swap(key, `at ${from}`, lasting(`at ${to}`, now()))
    }
    const records = recordsIn(directory, now)
    t.is(await swapAt(records, 0, 1), 'swapped')
    t.is(await swapAt(recordsIn(directory, now), 1, 240_000), 'swapped')
    // This one has looked for it, if not now.
    t.is(await swapAt(records, 240_000, 310_000), 'swapped')
    t.deepEqual(await filesIn(directory), [...djangos, ...left].sort())
    t.is(await swapAt(recordsIn(directory, now), 310_000, 320_000), 'swapped')
    t.deepEqual((await readdir(directory)).sort(), djangos.sort())
  },
)

test('A text is added once, read, swapped and removed by the whole of it, and touched.', async t => {
  const directory = await newSessionsFolder(t)
  const records = recordsIn(directory)
  const key = newKey()
  t.is(await records.read(key), null)
  const first = lasting('one')
  t.true(await records.add(key, first))
  t.false(await records.add(key, lasting('other')))
  t.deepEqual(await records.read(key), first)
  for (const before of ['One', 'one ', ' one', 'öne', 'on', ''])
    t.is(await records.swap(key, before, lasting('other')), 'changed', before)
  const second = { text: 'two', expiresAt: first.expiresAt + 1234 }
  t.is(await records.swap(key, 'one', second), 'swapped')
  t.deepEqual(await records.read(key), second)
  t.is(await records.swap(key, 'one', lasting('other')), 'changed')
  t.is(await records.swap(newKey(), 'two', lasting('other')), 'gone')
  t.true(await records.touch(key, second.expiresAt + 1))
  t.false(await records.touch(newKey(), second.expiresAt))
  t.deepEqual(await records.read(key), { text: 'two', expiresAt: second.expiresAt + 1 })
  t.deepEqual(await everything(records), [{ key, text: 'two' }])
  for (const before of ['Two', 'two ', 'one', '']) t.is(await records.remove(key, before), 'changed', before)
  t.is(await records.remove(key, 'two'), 'removed')
  t.is(await records.remove(key, 'two'), 'gone')
  t.is(await records.read(key), null)
  t.is(await records.swap(key, 'two', lasting('other')), 'gone')
  t.true(await records.add(key, lasting('three')))
  t.is(await records.remove(key), 'removed')
  t.is(await records.remove(key), 'gone')
  t.deepEqual(await filesIn(directory), [])
})

test('S5: A session is there until the moment that it ends, for every call, and not from then on.', async t => {
  const directory = await newSessionsFolder(t)
  const clock = handedClock()
  const records = recordsIn(directory, clock.now)
  const key = newKey()
  for (const fraction of [0, 1, 499, 999]) {
    const expiresAt = clock.now() + 5000 + fraction
    t.true(await records.add(key, { text: 'kept', expiresAt }))
    clock.advance(expiresAt - 1 - clock.now())
    t.deepEqual(await records.read(key), { text: 'kept', expiresAt })
    t.is(await records.swap(key, 'kept', { text: 'kept', expiresAt }), 'swapped')
    t.is(await records.remove(key, 'other'), 'changed')
    t.true(await records.touch(key, expiresAt))
    t.false(await records.add(key, { text: 'new', expiresAt }))
    t.is((await everything(records)).length, 1)
    clock.advance(1)
    t.is(await records.read(key), null)
    t.is(await records.swap(key, 'kept', { text: 'new', expiresAt: expiresAt + HOUR }), 'gone')
    t.is(await records.remove(key, 'kept'), 'gone')
    t.false(await records.touch(key, expiresAt + HOUR))
    t.deepEqual(await everything(records), [])
    // Where it was is a place for another one, once.
    t.true(await records.add(key, { text: 'new', expiresAt: expiresAt + 1 }))
    t.false(await records.add(key, { text: 'newer', expiresAt: expiresAt + 1 }))
    t.is((await records.read(key))?.text, 'new')
    clock.advance(1)
    t.is(await records.remove(key), 'removed')
  }
})

test('A text that says itself when it ends does so, and its file says that it was stored now.', async t => {
  const directory = await newSessionsFolder(t)
  const clock = handedClock()
  const end = clock.now() + 5000
  const records = directoryRecords(WHERE, directory, { cookieName: COOKIE, expiryOf: () => end, now: clock.now })
  const key = newKey()
  const modified = async () => Math.round((await stat(pathOf(directory, key))).mtimeMs)
  await records.add(key, { text: 'one', expiresAt: end + HOUR })
  t.deepEqual(await records.read(key), { text: 'one', expiresAt: end })
  t.is(await modified(), clock.now())
  clock.advance(1000)
  t.true(await records.touch(key, end + HOUR))
  t.is(await modified(), clock.now())
  clock.advance(1000)
  await records.swap(key, 'one', { text: 'two', expiresAt: end })
  t.is(await modified(), clock.now())
  clock.advance(3000)
  t.is(await records.read(key), null)
})

test('T5: Files are for the owner alone, and whole from the moment that they are there.', async t => {
  const directory = await newSessionsFolder(t)
  const records = recordsIn(directory)
  const key = newKey()
  const long = 'x'.repeat(512 * 1024)
  await records.add(key, lasting('one'))
  t.is((await stat(pathOf(directory, key))).mode & 0o777, 0o600)
  const before = await stat(pathOf(directory, key))
  await records.swap(key, 'one', lasting(long))
  const after = await stat(pathOf(directory, key))
  t.is(after.mode & 0o777, 0o600)
  // Another file is in its place: who had it open reads the old one to its end.
  t.not(after.ino, before.ino)
  t.is(await readFile(pathOf(directory, key), 'latin1'), long)
  t.is(await records.swap(key, `${long}x`, lasting('two')), 'changed')
  t.is(await records.remove(key, long), 'removed')
})

test('An empty file, which Django makes before it writes a session, is none yet, and is left to Django.', async t => {
  const directory = await newSessionsFolder(t)
  const records = recordsIn(directory)
  const [key = ''] = await storeSessions(directory, 1, '')
  t.is(await records.read(key), null)
  t.is(await records.swap(key, '', lasting('ours')), 'gone')
  t.is(await records.remove(key, ''), 'gone')
  t.false(await records.touch(key, Date.now() + HOUR))
  t.false(await records.add(key, lasting('ours')))
  t.deepEqual(await everything(records), [])
  t.is((await stat(pathOf(directory, key))).size, 0)
  t.deepEqual(await filesIn(directory), [COOKIE + key])
  t.is(await records.remove(key), 'removed')
})

test("Other names in the folder are nobody's sessions, and what is no file is none.", async t => {
  const directory = await newSessionsFolder(t)
  const records = recordsIn(directory)
  const [key = ''] = await storeSessions(directory, 1, 'text')
  const [linked, piped, folder] = [newKey(), newKey(), newKey()]
  const names = [
    `${COOKIE}${key}_out_abcdefgh`,
    `${COOKIE}${key.slice(1)}`,
    `${COOKIE}x${key}`,
    COOKIE,
    key,
    `.${COOKIE}`,
  ]
  for (const name of [...names, `${COOKIE}${key.slice(1)}A`, `other${key}`])
    await writeFile(join(directory, name), 'text')
  await symlink(pathOf(directory, key), pathOf(directory, linked))
  await mkdir(pathOf(directory, folder))
  execFileSync(program('mkfifo', 'coreutils'), [pathOf(directory, piped)])
  t.deepEqual(await everything(records), [{ key, text: 'text' }])
  for (const other of [linked, piped, folder]) {
    t.is(await records.read(other), null)
    t.is(await records.swap(other, 'text', lasting('new')), 'gone')
    t.false(await records.add(other, lasting('new')))
  }
  t.is((await readdir(directory)).length, names.length + 6)
})

test('All sessions come, each once, while they are changed, and others come and go.', async t => {
  const directory = await newSessionsFolder(t)
  const records = recordsIn(directory)
  const stay = await storeSessions(directory, 150, 'text')
  const go = await storeSessions(directory, 20, 'text')
  const expired = await storeSessions(directory, 50, 'text')
  for (const key of expired) await utimes(pathOf(directory, key), 0, 0)
  const seen = new Map<string, number>()
  for await (const { key, text } of records.all()) {
    t.is(text, 'text')
    seen.set(key, (seen.get(key) ?? 0) + 1)
    if (seen.size % 20 !== 0) continue
    await records.add(newKey(), lasting('text'))
    await records.swap(stay[seen.size % stay.length]!, 'text', lasting('text'))
    await records.remove(go.pop()!)
  }
  t.true(stay.every(key => seen.get(key) === 1))
  t.true([...seen.values()].every(times => times === 1))
  t.false(expired.some(key => seen.has(key)))
})

test('A pickled session is an error for who has it, and is passed on among all, whenever it ends.', async t => {
  const directory = await newSessionsFolder(t)
  const expiryOf = () => {
    throw new DjangoSettingUnsupported('SESSION_SERIALIZER', 'pickled.')
  }
  const records = directoryRecords(WHERE, directory, { cookieName: COOKIE, expiryOf, now: Date.now })
  const [key = ''] = await storeSessions(directory, 1, 'pickle')
  await t.throwsAsync(records.read(key), { instanceOf: DjangoSettingUnsupported })
  await t.throwsAsync(records.swap(key, 'pickle', lasting('ours')), { instanceOf: DjangoSettingUnsupported })
  t.deepEqual(await everything(records), [{ key, text: 'pickle' }])
  t.is(await records.remove(key), 'removed')
})

test('L9: Without its folder every call rejects with what to do, and makes none; no error tells a key or a text.', async t => {
  const directory = await newSessionsFolder(t)
  const records = recordsIn(directory)
  const [key = ''] = await storeSessions(directory, 1, '0')
  const gone = `${directory}-gone`
  await rename(directory, gone)
  const seen: Error[] = []
  const fail = async () => {
    for (const [name, call] of Object.entries(callsOf(records, key)))
      seen.push(await t.throwsAsync<Error>(call(), { message: /no such directory\. .*SESSION_FILE_PATH/ }, name))
  }
  await fail()
  await writeFile(directory, '')
  await fail()
  t.true(seen.every(({ message }) => message.startsWith(`${WHERE}: ${directory}: `)))
  t.notRegex(inspect(seen, { depth: 10, showHidden: true }), new RegExp(`${key}|new`))
  t.is(await recordsIn(gone).remove(key, '0'), 'removed')
})

test("L9: A session that is another user's is an error that says whom to run as.", async t => {
  const directory = await newSessionsFolder(t)
  const records = recordsIn(directory)
  const [key = ''] = await storeSessions(directory, 1, '0')
  // Nobody but root can hand a file over; to others one that they cannot read is as good.
  if (process.geteuid!() === 0) await chown(pathOf(directory, key), 65_534, 65_534)
  else await chmod(pathOf(directory, key), 0)
  const error = await t.throwsAsync<Error>(records.swap(key, '0', lasting('1')), {
    code: 'EACCES',
    message: /Run this application as the user that Django runs as\.$/,
  })
  await chmod(pathOf(directory, key), 0o600)
  t.false(inspect(error).includes(key))
  t.is(await readFile(pathOf(directory, key), 'latin1'), '0')
  t.deepEqual(await filesIn(directory), [COOKIE + key])
})

test('What is no key never becomes a path.', async t => {
  const directory = await newSessionsFolder(t)
  const records = recordsIn(directory)
  for (const key of [
    '',
    '../../etc/passwd',
    newKey().toUpperCase(),
    `${newKey()}0`,
    newKey().slice(1),
    `${newKey().slice(1)}\n`,
  ])
    for (const [name, call] of Object.entries(callsOf(records, key)))
      if (!['add', 'all'].includes(name)) await t.throwsAsync(async () => call(), { instanceOf: RangeError }, name)
  await t.throwsAsync(async () => records.add('x', lasting('')), { instanceOf: RangeError })
})

test('The folder may be named by a path from where the process is.', async t => {
  const directory = await newSessionsFolder(t)
  const key = newKey()
  await recordsIn(relative(process.cwd(), directory)).add(key, lasting('text'))
  t.deepEqual(await readdir(directory), [COOKIE + key])
  t.is(basename(pathOf(directory, key)), `sessionid${key}`)
})

for (const directory of ['', 'a\0b', undefined, null, 7, ['x']]) {
  test(`directoryRecords() refuses ${inspect(directory)} in the name of who asked for it.`, t => {
    const error = t.throws(() => recordsIn(directory as string), { instanceOf: OptionInvalid })
    t.deepEqual([error?.where, error?.option], [WHERE, 'directory'])
  })
}

test('T1: The checks of session stores hold for a store that is nothing but sessions in files.', async t => {
  const checks = Object.entries(sessionStoreChecks).filter(
    ([title, { needs }]) => (needs === null || needs === 'clock') && !LEFT_OUT.test(title),
  )
  t.true(checks.length > 50, `${checks.length}`)
  const inTurn = async () => {
    for (let next = checks.pop(); next; next = checks.pop()) {
      const [title, check] = next
      const clock = handedClock()
      const directory = await newSessionsFolder(t)
      const open = async () => recordsStore(byShortKeys(recordsIn(directory, clock.now)))
      await t.notThrowsAsync(check({ ...clock, open }), title)
    }
  }
  await Promise.all(Array.from({ length: 8 }, inTurn))
})

/** By the beginning of keys that are longer than those of files. */
function byShortKeys(records: DjangoRecords): DjangoRecords {
  const short = (key: string) => key.slice(0, 32)
  return {
    ...records,
    read: key => records.read(short(key)),
    add: (key, record) => records.add(short(key), record),
    swap: (key, ...texts) => records.swap(short(key), ...texts),
    remove: (key, before) => records.remove(short(key), before),
    touch: (key, expiresAt) => records.touch(short(key), expiresAt),
  }
}

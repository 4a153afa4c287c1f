import { renameSync, watch, writeFileSync } from 'node:fs'
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { scaled } from '../scale.ts'
import { filesIn } from '../sessions/stores/file/setup.ts'
import { Processes } from './directory/processes.ts'
import { COOKIE, isWhole, lasting, longText, pathOf, recordsIn } from './directory/records.ts'
import { newKey, newSessionsFolder, storeSessions } from './directory/setup.ts'

const KILLS = scaled(30)
const SAVES = scaled(100)

/** Has every call of a method of files by this process go through `seen` first, with whether it is a folder's. The tests of this file run one by one. */
async function watchFiles(
  t: ExecutionContext,
  method: 'sync' | 'writeFile' | 'utimes',
  seen: (isFolder: boolean) => Promise<void>,
): Promise<void> {
  const handle = await open(process.execPath)
  await handle.close()
  const prototype = Object.getPrototypeOf(handle)
  const original = prototype[method]
  prototype[method] = async function (this: FileHandle, ...args: unknown[]) {
    await seen((await this.stat()).isDirectory())
    return original.apply(this, args)
  }
  t.teardown(() => {
    prototype[method] = original
  })
}

test.serial(
  'T5: a text is on the disk before it is in its place, and that it is there before that is answered.',
  async t => {
    const directory = await newSessionsFolder(t)
    const records = recordsIn(directory)
    const key = newKey()
    const steps: string[] = []
    await watchFiles(t, 'sync', async isFolder => {
      const there = await readFile(pathOf(directory, key), 'latin1').catch(() => 'none')
      steps.push(`${isFolder ? 'folder' : 'file'} while ${there}`)
    })
    await records.add(key, lasting('one'))
    await records.swap(key, 'one', lasting('two'))
    t.deepEqual(steps.splice(0), ['file while none', 'folder while one', 'file while one', 'folder while two'])
    await records.touch(key, Date.now())
    t.deepEqual(steps, [])
    await records.add(key, lasting('three'))
    await records.remove(key, 'three')
    t.is(steps.at(-1), 'folder while none')
    await records.add(key, lasting('four'))
    await records.remove(key)
    t.is(steps.at(-1), 'folder while none')
  },
)

for (const [method, code] of [
  ['writeFile', 'ENOSPC'],
  ['utimes', 'EPERM'],
  ['sync', 'EIO'],
] as const) {
  test.serial(
    `T5: where ${method}() fails with ${code} nothing is stored, the old session stays, and nothing is left behind.`,
    async t => {
      const directory = await newSessionsFolder(t)
      const records = recordsIn(directory)
      const [key = ''] = await storeSessions(directory, 1, '0')
      let fails = true
      await watchFiles(t, method, async () => {
        if (fails) throw Object.assign(new Error(`${code}: '${key}'`), { code, syscall: 'write', path: key })
      })
      const calls = [
        () => records.add(newKey(), lasting('new')),
        () => records.swap(key, '0', lasting('1')),
        () => records.remove(key, '0'),
      ]
      for (const call of calls) {
        const error = await t.throwsAsync<Error>(call(), { code })
        t.notRegex(`${error.stack}${error.cause}`, new RegExp(key))
        t.is(await readFile(pathOf(directory, key), 'latin1'), '0')
        t.deepEqual(await readdir(directory), [COOKIE + key])
      }
      fails = false
      t.is(await records.swap(key, '0', lasting('1')), 'swapped')
    },
  )
}

test.serial(
  'T5: where the folder cannot be brought to the disk, that is an error, and what is there is whole.',
  async t => {
    const directory = await newSessionsFolder(t)
    const records = recordsIn(directory)
    const [key = ''] = await storeSessions(directory, 1, '0')
    await watchFiles(t, 'sync', async isFolder => {
      if (isFolder) throw Object.assign(new Error('i/o error'), { code: 'EIO', syscall: 'fsync' })
    })
    await t.throwsAsync(records.swap(key, '0', lasting('1')), { code: 'EIO' })
    t.is((await records.read(key))?.text, '1')
    await t.throwsAsync(records.remove(key), { code: 'EIO' })
    await t.throwsAsync(records.add(key, lasting('2')), { code: 'EIO' })
    t.is((await records.read(key))?.text, '2')
    t.deepEqual(await filesIn(directory), [COOKIE + key])
  },
)

test.serial(
  'S6: what Django has begun to save when a swap comes to its end is waited for, and is not replaced.',
  async t => {
    const directory = await newSessionsFolder(t)
    const records = recordsIn(directory)
    let saving = () => {}
    await watchFiles(t, 'sync', async isFolder => {
      if (!isFolder) saving()
    })
    let finish = (_: string) => {}
    const watcher = watch(directory, (_, name) => finish(name ?? ''))
    t.teardown(() => watcher.close())
    for (const key of await storeSessions(directory, SAVES, '0')) {
      const path = pathOf(directory, key)
      saving = () => writeFileSync(`${path}_out_a1b2c3d4`, "Django's")
      finish = name => {
        if (name !== `.koa-strata-${COOKIE}${key}`) return
        finish = () => {}
        renameSync(`${path}_out_a1b2c3d4`, path)
      }
      t.is(await records.swap(key, '0', lasting('ours')), 'changed')
      t.is(await readFile(path, 'latin1'), "Django's")
    }
  },
)

test.serial(
  `T5: of ${KILLS} × kill -9 of a process that changes sessions, none tears or blocks one, and what it leaves behind goes.`,
  async t => {
    const directory = await newSessionsFolder(t)
    const keys = await storeSessions(directory, 4, longText('0'))
    const unfinished = async () => (await readdir(directory)).filter(name => name.startsWith('.koa-strata-'))
    let left = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const processes = await Processes.start(t, 1)
      const known = await unfinished()
      await processes.kill({ task: 'save', directory, keys, times: 1_000_000 }, async () => {
        const until = Date.now() + 30_000
        while ((await unfinished()).length === known.length && Date.now() < until) await wait(1)
      })
      const records = recordsIn(directory)
      for (const key of keys) {
        const { text } = (await records.read(key))!
        t.true(isWhole(text))
        t.is(await records.swap(key, text, lasting(longText('after a kill'))), 'swapped')
      }
      left = Math.max(left, (await unfinished()).length)
    }
    t.log(`${left} left behind`)
    const { now } = Date
    t.teardown(() => {
      Date.now = now
    })
    Date.now = () => now() + 600_000
    t.true(await recordsIn(directory, now).add(newKey(), lasting('new', now())))
    t.deepEqual(await unfinished(), [])
    t.is((await readdir(directory)).length, keys.length + 1)
  },
)

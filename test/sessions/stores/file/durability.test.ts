import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { fileStore } from '../../../../lib/sessions/stores/file.ts'
import { newId } from '../../../../lib/testing/store-under-test.ts'
import { newDirectory } from './setup.ts'

const HOUR = 3_600_000
const record = (data: object) => ({ data, user: null, expiresAt: Date.now() + HOUR })

/** Calls `seen` before every fsync of this process, with whether it is a directory's. The tests of this file run one after the other. */
async function watchSyncs(
  end: (end: () => void) => void,
  seen: (isDirectory: boolean) => Promise<void>,
): Promise<void> {
  const handle = await open(process.execPath)
  await handle.close()
  const prototype = Object.getPrototypeOf(handle)
  const { sync } = prototype
  prototype.sync = async function (this: FileHandle) {
    await seen((await this.stat()).isDirectory())
    return sync.call(this)
  }
  end(() => {
    prototype.sync = sync
  })
}

test.serial(
  'T5: file: content is on the disk before it is current, and that it is current before it is acknowledged.',
  async t => {
    const directory = await newDirectory(t)
    const store = fileStore(directory)
    const id = newId()
    let steps: string[] = []
    const stateOf = async () => {
      const names = await readdir(join(directory, id.slice(0, 2), id)).catch(() => [])
      return names.find(name => name.startsWith('at.'))?.split('.')[3] ?? 'none'
    }
    await watchSyncs(t.teardown, async isDirectory => {
      steps.push(`${isDirectory ? 'directory' : 'file'} while ${await stateOf()}`)
    })
    const first = (await store.create(id, record({ count: 1 })))!
    t.is(steps[0], 'file while none')
    t.true(steps.includes('directory while none'))
    t.is(steps.at(-1), `directory while ${first}`)

    steps = []
    const second = await store.replace(id, first, record({ count: 2 }))
    t.deepEqual(steps, [`file while ${first}`, `directory while ${second}`])

    steps = []
    await store.destroy(id)
    t.is(steps.length, 1)
    t.regex(steps[0]!, /^directory while /)
    t.notRegex(steps[0]!, new RegExp(second))
  },
)

test.serial(
  'T5: file: an fsync that fails is an error: before the rename the old record holds, and after it a whole one.',
  async t => {
    const directory = await newDirectory(t)
    const store = fileStore(directory)
    const id = newId()
    const first = (await store.create(id, record({ count: 1 })))!
    let failing: boolean | null = null
    await watchSyncs(t.teardown, async isDirectory => {
      if (isDirectory === failing) throw Object.assign(new Error('i/o error'), { code: 'EIO' })
    })
    failing = false
    await t.throwsAsync(store.replace(id, first, record({ count: 2 })), { code: 'EIO' })
    await t.throwsAsync(store.create(newId(), record({})), { code: 'EIO' })
    t.deepEqual((await store.read(id))?.data, { count: 1 })
    t.deepEqual(await readdir(join(directory, 'new')), [])
    failing = true
    await t.throwsAsync(store.replace(id, first, record({ count: 3 })), { code: 'EIO' })
    await t.throwsAsync(store.create(newId(), record({})), { code: 'EIO' })
    await t.throwsAsync(
      store.destroy(newId()).then(() => store.destroy(id)),
      { code: 'EIO' },
    )
    failing = null
    t.deepEqual(await readdir(join(directory, 'new')), [])
    const another = newId()
    const version = (await store.create(another, record({ count: 1 })))!
    failing = true
    await t.throwsAsync(store.replace(another, version, record({ count: 3 })), { code: 'EIO' })
    t.deepEqual((await store.read(another))?.data, { count: 3 })
  },
)

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import type { DjangoRecords } from '../../lib/django/records.ts'
import { filesIn } from '../sessions/stores/file/setup.ts'
import type { FrozenOptions } from './directory/frozen.ts'
import { lasting, pathOf, recordsIn } from './directory/records.ts'
import { newSessionsFolder, storeSessions } from './directory/setup.ts'

/** What others do between the last look of a swap and its rename. */
type Meanwhile = (path: string, records: DjangoRecords, key: string) => Promise<unknown>

/** As Django saves a session. */
const djangoSaves: Meanwhile = async path => {
  await writeFile(`${path}_out_a1b2c3d4`, "Django's", { mode: 0o600 })
  await rename(`${path}_out_a1b2c3d4`, path)
}
const djangoRemoves: Meanwhile = path => unlink(path)

/** Lets a swap stand still at that place while something happens, and resolves to its answer and to what stands there then. */
async function swapped(t: ExecutionContext, watches: boolean, meanwhile: Meanwhile) {
  const directory = await newSessionsFolder(t)
  const [key = ''] = await storeSessions(directory, 1, '0')
  const path = pathOf(directory, key)
  const wake = new Int32Array(new SharedArrayBuffer(4))
  const thread = new Worker(new URL('directory/frozen.ts', import.meta.url), {
    workerData: { directory, key, watches, wake } satisfies FrozenOptions,
  })
  t.teardown(() => thread.terminate())
  t.deepEqual(await once(thread, 'message'), ['frozen'])
  await meanwhile(path, recordsIn(directory), key)
  Atomics.store(wake, 0, 1)
  Atomics.notify(wake, 0)
  const [[answer]] = await Promise.all([once(thread, 'message'), once(thread, 'exit')])
  t.deepEqual(
    (await filesIn(directory)).filter(name => name.startsWith('.')),
    [],
  )
  return [answer, existsSync(path) ? await readFile(path, 'latin1') : null]
}

const CASES: [title: string, meanwhile: Meanwhile, answer: string, there: string | null][] = [
  ['nothing happens', async () => {}, 'swapped', 'ours'],
  ['Django removes the session', djangoRemoves, 'gone', null],
  [
    'Django saves the session and then removes it',
    async (...session) => {
      await djangoSaves(...session)
      await djangoRemoves(...session)
    },
    'gone',
    null,
  ],
  ['this library removes the session', (_, records, key) => records.remove(key), 'gone', null],
  ['this library removes the very text', (_, records, key) => records.remove(key, '0'), 'gone', null],
  ['another process swaps it', (_, records, key) => records.swap(key, '0', lasting('other')), 'changed', 'other'],
  // The window that its documentation speaks of: what Django writes in it is replaced, and the session is not taken for one that was removed.
  ['Django saves the session', djangoSaves, 'swapped', 'ours'],
]
for (const [title, meanwhile, answer, there] of CASES) {
  test(`S2: where ${title} right before a swap that is under way renames, the swap hears '${answer}' and ${there ?? 'nothing'} is there.`, async t => {
    t.deepEqual(await swapped(t, true, meanwhile), [answer, there])
  })
}

test('S2: the control of the removal by Django: where the folder cannot be watched, the session is back.', async t => {
  t.deepEqual(await swapped(t, false, djangoRemoves), ['swapped', 'ours'])
})

test('S2: what this library removes needs no watch of the folder to stay removed.', async t => {
  t.deepEqual(await swapped(t, false, (_, records, key) => records.remove(key)), ['gone', null])
})

import { readFile } from 'node:fs/promises'
import test from 'ava'
import { scaled } from '../scale.ts'
import { file } from '../servers/file-owner.ts'
import { filesIn } from '../sessions/stores/file/setup.ts'
import { Processes } from './directory/processes.ts'
import { COOKIE, pathOf, recordsIn } from './directory/records.ts'
import { newSessionsFolder, storeSessions } from './directory/setup.ts'

const PROCESSES = 3
const SESSIONS = 3
const COUNTS = scaled(120)

const all = <Task>(task: Task) => Array.from({ length: PROCESSES }, () => task)
let processes: Processes

test.before('Some processes wait for work.', async () => {
  processes = await Processes.start(file, PROCESSES)
})

for (const by of ['records', 'rename'] as const) {
  const what = by === 'records' ? 'lose nothing' : 'by what they read and a rename lose counts'
  test.serial(
    `S6: ${PROCESSES} processes that count up in the same ${SESSIONS} of Django's session files ${what}.`,
    async t => {
      const directory = await newSessionsFolder(t)
      const keys = await storeSessions(directory, SESSIONS, '0')
      await processes.run(all('count'), { directory, by, keys, times: COUNTS })
      const records = recordsIn(directory)
      const found = await Promise.all(keys.map(key => records.read(key)))
      const counted = found.map(one => Number(one?.text))
      t.log(`${counted.join(', ')} of ${PROCESSES * COUNTS} counted`)
      if (by === 'records') t.true(counted.every(count => count === PROCESSES * COUNTS))
      else t.true(counted.some(count => count < PROCESSES * COUNTS))
      t.deepEqual(await filesIn(directory), keys.map(key => COOKIE + key).sort())
    },
  )
}

test.serial(
  "T1: Of the processes that swap one of Django's session files at once exactly one does, and the others hear 'changed'.",
  async t => {
    const directory = await newSessionsFolder(t)
    const keys = await storeSessions(directory, scaled(400), '0')
    const answers = (await processes.run(all('swap'), { directory, keys })) as string[][]
    for (const [index, key] of keys.entries()) {
      const heard = answers.map(one => one[index])
      t.deepEqual(heard.toSorted(), [...Array(PROCESSES - 1).fill('changed'), 'swapped'])
      t.is(await readFile(pathOf(directory, key), 'latin1'), `by ${heard.indexOf('swapped')}`)
    }
    t.is((await filesIn(directory)).length, keys.length)
  },
)

test.serial(
  'S2: What one process removes of the session files stays gone, however often others are about to change it.',
  async t => {
    const directory = await newSessionsFolder(t)
    const keys = await storeSessions(directory, scaled(300), '0')
    const tasks = ['save', 'remove', 'save'] as const
    const answers = await processes.run(tasks, { directory, keys, times: 10_000 })
    for (const index of [0, 2]) t.true((answers[index] as string[]).every(answer => answer === 'gone'))
    t.deepEqual(await filesIn(directory), [])
  },
)

import { readFile, rename, writeFile } from 'node:fs/promises'
import type { DjangoRecords } from '../../../lib/django/records.ts'
import { lasting, longText, pathOf, recordsIn } from './records.ts'

/** What a process is told to do, and with which sessions. */
export interface Work {
  task: keyof typeof TASKS
  /** What it changes them with: ours, or the control. */
  by: 'records' | 'rename'
  directory: string
  keys: string[]
  /** Which of the processes this is. */
  index: number
  times: number
}

type Changes = Pick<DjangoRecords, 'read' | 'swap' | 'remove'>

const TASKS = {
  /** Counts up in every session. */
  async count(changes: Changes, { keys, times }: Work) {
    const countIn = async (key: string) => {
      for (let done = 0; done < times; ) {
        const { text } = (await changes.read(key))!
        if ((await changes.swap(key, text, lasting(String(Number(text) + 1)))) === 'swapped') done++
      }
    }
    await Promise.all(keys.map(countIn))
  },
  /** Puts its own mark in the place of '0'. */
  swap: (changes: Changes, { keys, index }: Work) =>
    Promise.all(keys.map(key => changes.swap(key, '0', lasting(`by ${index}`)))),
  /** Changes each session until it is gone. */
  save: (changes: Changes, { keys, index, times }: Work) =>
    Promise.all(
      keys.map(async key => {
        for (let count = 0; count < times; count++) {
          const found = await changes.read(key)
          const answer = found ? await changes.swap(key, found.text, lasting(longText(`${index}.${count}`))) : 'gone'
          if (answer === 'gone') return answer
        }
        return 'there'
      }),
    ),
  async remove(changes: Changes, { keys }: Work) {
    for (const key of keys) await changes.remove(key)
  },
}

/** As Django does it, after a comparison: a temporary file is written and renamed. */
function byRename(directory: string): Changes {
  let writes = 0
  return {
    ...recordsIn(directory),
    async swap(key, before, { text }) {
      const path = pathOf(directory, key)
      const found = await readFile(path, 'latin1').catch(() => null)
      if (found !== before) return found === null ? 'gone' : 'changed'
      const unfinished = `${path}_out_${process.pid}${writes++}`
      await writeFile(unfinished, text)
      await rename(unfinished, path)
      return 'swapped'
    },
  }
}

process.on('message', async (work: Work) => {
  const changes = (work.by === 'records' ? recordsIn : byRename)(work.directory)
  process.send!({ answer: await TASKS[work.task](changes, work) })
})
process.send!('ready')

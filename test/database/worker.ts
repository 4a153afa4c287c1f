import { once } from 'node:events'
import knexFactory from 'knex'
import { migrate } from '../../lib/database/migrations.ts'
import { sqlStore } from '../../lib/sessions/stores/sql.ts'

const [task, config, ...parameters] = process.argv.slice(2) as [string, string, ...string[]]
const knex = knexFactory(JSON.parse(config))

/** Counts up in a session. Every process has read it before any of them writes. */
async function counting(id: string, times: number, blindly: boolean): Promise<() => Promise<number>> {
  const store = sqlStore(knex)
  let found = (await store.read(id))!
  return async () => {
    for (let done = 0; done < times; found = (await store.read(id))!) {
      const { version, ...record } = found
      record.data.count++
      if (blindly)
        await knex('sessions')
          .where({ id })
          .update({ data: JSON.stringify(record.data) })
      else if ((await store.replace(id, version, record)) === 'changed') continue
      done++
    }
    return times
  }
}

const TASKS: Record<string, () => Promise<() => Promise<unknown>>> = {
  migrate: async () => () => migrate(knex),
  count: () => counting(parameters[0]!, Number(parameters[1]), false),
  'count-blindly': () => counting(parameters[0]!, Number(parameters[1]), true),
}

const run = await TASKS[task]!()
process.send!('ready')
await once(process, 'message')
process.send!(await run())
await knex.destroy()
process.disconnect()

/**
 * One application as its environment has it: for process.ts, which listens, and for `koa-strata doctor`, which looks at it. APP is 'shop' or
 * 'forum', DATABASE its own and PEOPLE the shared database, SESSIONS and KEYS are shared; DOMAIN, DEADLINE and OTHER can be left out.
 */
import { createForum, createShop } from './app.ts'
import { openDatabase } from './example.ts'
import { openStore } from './store.ts'

const { APP, DATABASE = '', PEOPLE = '', SESSIONS = '', KEYS = '', DOMAIN, DEADLINE = '500', OTHER = '/' } = process.env
const ends: (() => unknown)[] = []

const [database, people] = [openDatabase(DATABASE), openDatabase(PEOPLE)]
const store = await openStore({ teardown: end => ends.push(end) }, SESSIONS, people)
const login = { people, store, keys: KEYS.split(','), domain: DOMAIN, deadline: Number(DEADLINE) }

export const app = (APP === 'shop' ? createShop : createForum)({ database, login, other: OTHER })

/** Lets go of its databases and its store. */
export async function close(): Promise<void> {
  for (const end of ends) await end()
  await Promise.all([database.destroy(), people.destroy()])
}

import { inMarkdown } from '../readme-table.ts'
import type { Cost } from './capacity-bench.ts'
import type { Stored } from './capacity-stored.ts'

const SECONDS_A_DAY = 86_400

/** How often each kind of request is taken to be sent on a day, for each session that there is: most of them are idle. */
const HABITS = {
  'page, logged in': 16,
  'page, logged in, a minute after the last': 4,
  'change of the session': 4,
  login: 1 / 14,
  logout: 1 / 28,
  'the same, later': 2,
} as const

/** How much more there is to do at the busiest time of a day than on average. */
const PEAK = 4
/** How much of a core, or of a node's memory, is to be used then: the rest is for a failover, and for copies while data is saved. */
const USED = 0.5
const MEMORY_OF_A_NODE = 16 * 2 ** 30

/** What so many sessions come to: the arithmetic from what was measured. */
export function plan(costs: readonly Cost[], stored: readonly Stored[]): string {
  const cost = (kind: string) => costs.find(one => one.kind === kind)!
  const bytes = stored.find(({ store }) => store === 'Redis')!.bytes
  const perDay = (of: (cost: Cost) => number) =>
    Object.entries(HABITS).reduce((sum, [kind, times]) => sum + times * of(cost(kind)), 0)
  const columns = [1e6, 1e7, 1e8].map(sessions => {
    const atPeak = (each: number) => (sessions * each * PEAK) / SECONDS_A_DAY
    const requests = atPeak(Object.values(HABITS).reduce((sum, times) => sum + times, 0))
    const memory = sessions * bytes
    const redisCores = atPeak(perDay(one => one.redisCpu)) / 1e6
    const mastersByMemory = memory / (MEMORY_OF_A_NODE * USED)
    const masters = Math.max(3, Math.ceil(Math.max(mastersByMemory, redisCores / USED)))
    const sqlCores = atPeak(perDay(one => one.sqlCpu)) / 1e6
    const appCores = atPeak(perDay(one => one.appCpu)) / 1e6
    return [
      `${sessions / 1e6} million`,
      amount(requests),
      amount(atPeak(HABITS.login)),
      amount(atPeak(perDay(one => one.commands))),
      amount(redisCores, 2),
      `${amount(memory / 2 ** 30, 1)} GiB`,
      `${amount((2 * memory) / 2 ** 30, 1)} GiB`,
      amount(masters),
      amount(2 * masters),
      amount(atPeak(perDay(one => one.statements))),
      amount(sqlCores, 1),
      `${amount(atPeak(perDay(one => one.replicatedBytes)) / 2 ** 20, 1)} MiB`,
      amount(Math.ceil(appCores / USED)),
    ]
  })
  const rows = [
    'sessions',
    'requests a second',
    'of these, logins',
    'commands of Redis a second',
    'cores of Redis that are busy',
    'memory of the sessions',
    'with a replica for each master',
    'masters',
    'nodes of Redis',
    'SQL statements a second',
    'cores of the database that are busy',
    'to each other node of the database, a second',
    'cores for the app',
  ]
  return inMarkdown(rows.map((name, index) => [name, ...columns.map(column => column[index]!)]))
}

function amount(value: number, digits = 0): string {
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: value < 10 ? digits : 0 })
}

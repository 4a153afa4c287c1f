import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import type { Knex } from 'knex'

/** What servers have done until now. Bytes are those on the wire, there and back. */
export interface Reading {
  readonly redisBytes: number
  readonly statements: number
  readonly sqlBytes: number
  /** What is sent to the other nodes of the database. */
  readonly replicatedBytes: number
}

const VARIABLES = ['Questions', 'Bytes_received', 'Bytes_sent', 'wsrep_replicated_bytes']

/** Reads what a Redis and a node of the database have done. Each reading counts too. */
export async function read(redis: Redis, database: Knex): Promise<Reading> {
  const info = await redis.info('stats')
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)![1])
  const [rows] = await database.raw(
    `show global status where variable_name in (${VARIABLES.map(() => '?').join()})`,
    VARIABLES,
  )
  const status = new Map<string, number>(
    rows.map((row: { Variable_name: string; Value: string }) => [row.Variable_name, Number(row.Value)]),
  )
  return {
    redisBytes: field('total_net_input_bytes') + field('total_net_output_bytes'),
    statements: status.get('Questions')!,
    sqlBytes: status.get('Bytes_received')! + status.get('Bytes_sent')!,
    replicatedBytes: status.get('wsrep_replicated_bytes')!,
  }
}

/** What was done between two readings. @param itself what is done between two that follow each other */
export function between(before: Reading, after: Reading, itself?: Reading): Reading {
  const names = Object.keys(before) as (keyof Reading)[]
  return Object.fromEntries(names.map(name => [name, after[name] - before[name] - (itself?.[name] ?? 0)])) as never
}

/** The CPU time of a process until now, in microseconds: Linux counts it in hundredths of a second. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

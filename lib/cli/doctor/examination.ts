import { ForeignSessions } from '../../sessions/foreign.ts'
import type { Connections } from '../connections.ts'
import { type OpenDatabase, openDatabase, tablesIn } from '../database.ts'
import { CommandFailed, EXIT } from '../failure.ts'
import { type OpenStore, openStore, tableOf } from '../store.ts'
import { type InspectedApp, importApp } from './app.ts'
import { checkOwnCookies } from './cookies.ts'
import { checkClock, checkMigrations, checkSettings } from './database.ts'
import { type Finding, ok, problem, skipped, warning } from './finding.ts'
import { checkHashes } from './hashes.ts'
import { checkKeys } from './keys.ts'
import { checkOverdue } from './overdue.ts'
import { checkProxy } from './proxy.ts'
import { checkSharedLogin } from './shared-login.ts'
import { checkSite } from './site.ts'
import { checkOwnStore, checkStore } from './stores.ts'

/** What is to be looked at. */
export interface Examined {
  /** The path of a module that exports the application. */
  readonly app?: string | undefined
  readonly database?: string | undefined
  readonly store?: string | undefined
  readonly storePrefix?: string | undefined
  /** The variable with the keys, separated by commas. */
  readonly keysFrom?: string | undefined
  readonly url: URL | null
  /** The file to write the application's card to. */
  readonly writeCard?: string | undefined
  /** The files with the cards of applications that share its login. */
  readonly compare?: readonly string[] | undefined
}

/** Looks at all that can be seen, part by part: one that cannot be reached keeps nobody from looking at the others. */
export async function examine(connections: Connections, examined: Examined): Promise<Finding[]> {
  const isProduction = process.env.NODE_ENV === 'production'
  const setting = { isProduction, url: examined.url }
  const findings: Finding[] = []

  const inspected = await opened(findings, 'app', examined.app, path => {
    connections.keep()
    return importApp(path)
  })
  if (inspected) {
    findings.push(...checkEnvironment(isProduction), ...checkOwnCookies(inspected, setting))
    findings.push(...checkProxy(inspected, examined.url))
  }
  findings.push(...allKeys(inspected, examined.keysFrom))

  const database = await opened(findings, 'database', examined.database, url => openDatabase(connections, url))
  const isMigrated = database ? await databaseFindings(findings, database) : false

  const store = await opened(findings, 'store', examined.store, () => openStore(connections, examined))
  const table = database && isMigrated && examined.store === undefined ? tableOf(database) : null
  findings.push(
    ...(await storeFindings(inspected, examined.store === undefined ? table : store, examined, isProduction)),
  )
  if (database && isMigrated) findings.push(...(await hashFindings(database)))
  findings.push(...(await sweepFindings(store ?? table)))

  if (inspected) {
    const named = examined.store === undefined ? undefined : (store?.store ?? null)
    findings.push(...(await checkSharedLogin(inspected, { ...examined, named, now: Date.now() })))
  } else if (examined.writeCard !== undefined || examined.compare) {
    findings.push(skipped('card', 'none was written or compared: there is no application to look at.'))
  }

  const names = inspected?.sessions.map(({ cookie }) => cookie.name) ?? []
  if (examined.url) findings.push(...(await checkSite(examined.url, names, setting)))
  else findings.push(skipped('site', 'no address.', 'Name it with --url.'))
  return findings
}

/** What `open` answers, or null where nothing was named, or it cannot be reached: then there is a finding about it. */
async function opened<Thing>(
  findings: Finding[],
  check: 'app' | 'database' | 'store',
  named: string | undefined,
  open: (named: string) => Promise<Thing>,
): Promise<Thing | null> {
  if (named === undefined) {
    if (check !== 'store') findings.push(skipped(check, `no ${check}.`, `Name it with --${check}.`))
    return null
  }
  try {
    return await open(named)
  } catch (error) {
    if (!(error instanceof CommandFailed) || error.exitCode !== EXIT.unreachable) throw error
    findings.push(problem(check, error.message, 'Nothing of it was looked at: mend this first.'))
    return null
  }
}

function checkEnvironment(isProduction: boolean): Finding[] {
  if (isProduction) return [ok('environment', "NODE_ENV is 'production'.")]
  return [
    warning(
      'environment',
      "NODE_ENV is not 'production', and the app may be another one then.",
      'Run this with the environment that the app has where it is deployed.',
    ),
  ]
}

function allKeys(inspected: InspectedApp | null, variable: string | undefined): Finding[] {
  const findings: Finding[] = []
  if (variable !== undefined) findings.push(...checkKeys(`$${variable}`, process.env[variable]?.split(',')))
  const layers = inspected?.sessions.filter(({ options }) => !(options.store instanceof ForeignSessions)) ?? []
  const own = layers.filter(({ options }) => options.keys !== undefined)
  for (const { options } of own) findings.push(...checkKeys('keys of sessions()', options.keys))
  const usesApps = inspected && (own.length < layers.length || (own.length === 0 && inspected.app.keys !== undefined))
  if (usesApps) findings.push(...checkKeys('app.keys', inspected.app.keys))
  return findings.length > 0
    ? findings
    : [skipped('keys', 'no keys.', 'Name an --app, or a variable with --keys-from.')]
}

async function databaseFindings(findings: Finding[], database: OpenDatabase): Promise<boolean> {
  findings.push(
    ok('database', `${database.label} answers.`),
    ...(await checkSettings(database)),
    ...(await checkClock(database)),
  )
  const migrations = await checkMigrations(database)
  findings.push(...migrations)
  return migrations.every(({ status }) => status === 'ok')
}

async function hashFindings({ knex }: OpenDatabase): Promise<Finding[]> {
  const { hasUsers } = await tablesIn(knex)
  return hasUsers ? checkHashes(knex) : [skipped('passwords', 'the users are in a table of the application.')]
}

/** @param open the store that was named, or else the database's table; null where there is none, or it was not reached */
async function storeFindings(
  inspected: InspectedApp | null,
  open: OpenStore | null,
  { store }: Examined,
  isProduction: boolean,
): Promise<Finding[]> {
  const own = inspected?.sessions ?? []
  if (store === undefined && own.length > 0)
    return (await Promise.all(own.map(layer => checkOwnStore(layer, isProduction)))).flat()
  if (open) return checkStore(open.label, open.store)
  return store === undefined
    ? [skipped('store', 'no store.', 'Name it with --store, or a --database or an --app that has it.')]
    : []
}

async function sweepFindings(open: OpenStore | null): Promise<Finding[]> {
  if (!open) return []
  if (open.knex) return checkOverdue(open.knex)
  if (open.directory === undefined) return []
  return [
    skipped(
      'sweep',
      'how many files have expired is not counted.',
      `koa-strata clear-sessions --store file:${open.directory} removes them.`,
    ),
  ]
}

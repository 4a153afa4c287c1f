import { SessionsNotListable } from '../../errors.ts'
import { parseContent } from '../../sessions/content.ts'
import type { SessionStore } from '../../sessions/store.ts'
import {
  type AddCommand,
  examples,
  newCommand,
  type Run,
  type SessionsOptions,
  withStore,
  withUsers,
} from '../command.ts'
import { EXIT, notFound, wrongUsage } from '../failure.ts'
import { columns, counted, moment } from '../output.ts'
import { ownerNamed, type SessionOwner } from '../people.ts'
import { tagOf } from '../tags.ts'

interface ListOptions extends SessionsOptions {
  readonly idleTimeout: string
}

interface Listed {
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date | null
}

const DAY = 86_400_000
/** In milliseconds: sessions are noted as seen to the minute, and clocks differ. */
const SLACK = 120_000

const run: Run<[name: string], ListOptions> = async (tools, options, name) => {
  const idle = Number(options.idleTimeout) * DAY
  if (!(idle > 0)) throw wrongUsage('--idle-timeout must be a number of days, as 14 or 0.5.')
  const owner = await ownerNamed(tools, options, name)
  if (owner.isGone)
    throw notFound(
      `There is no user ${owner.label}. Sessions of theirs hold no more; 'koa-strata revoke' removes them.`,
    )
  const { list } = owner.store.store
  if (!list) throw new SessionsNotListable()
  const listed = await holding(owner, await list(owner.key), idle)
  tools.output.result(
    {
      user: { key: owner.key, username: owner.user?.username ?? null },
      sessions: listed.map(({ id, createdAt, lastSeenAt }) => ({
        id,
        createdAt: createdAt.toISOString(),
        lastSeenAt: lastSeenAt?.toISOString() ?? null,
      })),
    },
    () => [`${owner.label} has ${counted(listed.length, 'session')}.`, ...table(listed)],
  )
  return EXIT.done
}

async function holding(
  owner: SessionOwner,
  records: Awaited<ReturnType<NonNullable<SessionStore['list']>>>,
  idle: number,
): Promise<Listed[]> {
  const listed: Listed[] = []
  for (const { id, data, expiresAt } of records) {
    const content = parseContent(data)
    if (typeof content === 'string' || !content.login || !(await owner.holds(content.login.stamp))) continue
    const seen = expiresAt - idle
    // With another idle timeout than the application's it would be a moment that cannot be.
    const isPossible = seen > content.created - SLACK && seen < Date.now() + SLACK
    listed.push({ id, createdAt: new Date(content.created), lastSeenAt: isPossible ? new Date(seen) : null })
  }
  return listed.sort(
    (one, other) => Number(other.lastSeenAt ?? other.createdAt) - Number(one.lastSeenAt ?? one.createdAt),
  )
}

function table(listed: readonly Listed[]): string[] {
  if (listed.length === 0) return []
  const rows = listed.map(({ id, createdAt, lastSeenAt }) => [
    tagOf(id),
    moment(createdAt),
    lastSeenAt ? moment(lastSeenAt) : 'unknown: see --idle-timeout',
  ])
  return columns([['session', 'logged in', 'last seen'], ...rows])
}

/** `sessions`: lists a user's sessions. */
export const addSessions: AddCommand = (program, carryOut) => {
  withStore(
    withUsers(
      newCommand(program, 'sessions')
        .summary("list a user's sessions")
        .description(
          'Lists the sessions that a user is logged in by now, the last used first: when they logged in, when they were last seen, and a tag to end ' +
            'one by. memcached cannot list.',
        )
        .argument('<user>', 'name, e-mail address or key (sql:12, ldap:alice)')
        .option('--idle-timeout <days>', "the application's, from which 'last seen' is reckoned", '14'),
    ),
  )
    .addHelpText(
      'after',
      examples('koa-strata sessions alice', 'koa-strata sessions ldap:alice --store redis://127.0.0.1/0'),
    )
    .action(carryOut(run))
}

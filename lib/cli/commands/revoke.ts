import { SessionsNotListable } from '../../errors.ts'
import { endStoredSession } from '../../sessions/ending.ts'
import {
  type AddCommand,
  examples,
  newCommand,
  type Run,
  type SessionsOptions,
  withStore,
  withUsers,
} from '../command.ts'
import { EXIT, notFound } from '../failure.ts'
import { counted } from '../output.ts'
import { ownerNamed, type SessionOwner } from '../people.ts'
import { sessionTagged, tagOf } from '../tags.ts'

interface RevokeOptions extends SessionsOptions {
  readonly session?: string | undefined
}

const AT_ONCE = 8

const run: Run<[name: string], RevokeOptions> = async (tools, options, name) => {
  const owner = await ownerNamed(tools, options, name)
  const { session } = options
  const ended = session === undefined ? await endAll(owner) : await endOne(owner, session)
  tools.output.result({ user: { key: owner.key, username: owner.user?.username ?? null }, ended }, () => [
    session === undefined
      ? `All sessions of ${owner.label} have ended${ended === null ? '' : `; ${counted(ended, 'was', 'were')} in the store`}.`
      : `Session ${tagOf(session)} of ${owner.label} has ended.`,
  ])
  return EXIT.done
}

/** Ends every session of a user, wherever it is, and what the store has of them. Answers how many it had; null where it cannot tell. */
async function endAll({
  key,
  backend,
  id,
  label,
  isGone,
  logins,
  store: { store },
}: SessionOwner): Promise<number | null> {
  // By then none of them holds any more. What follows keeps no data of theirs.
  await logins.endAll({ backend, id })
  if (!store.list) return null
  const records = await store.list(key)
  if (records.length === 0 && isGone) throw notFound(`There is no user ${label}, and no session of theirs.`)
  for (let at = 0; at < records.length; at += AT_ONCE)
    await Promise.all(records.slice(at, at + AT_ONCE).map(record => endStoredSession(store, Date.now, record.id)))
  return records.length
}

async function endOne({ key, store: { store } }: SessionOwner, tag: string): Promise<number> {
  if (!store.list) throw new SessionsNotListable()
  const { id } = sessionTagged(await store.list(key), tag)
  return (await endStoredSession(store, Date.now, id)) ? 1 : 0
}

/** `revoke`: ends a user's sessions. */
export const addRevoke: AddCommand = (program, carryOut) => {
  withStore(
    withUsers(
      newCommand(program, 'revoke')
        .summary("end a user's sessions, all or one")
        .description(
          'Ends all sessions of a user, or one of them. A user of the database is logged out wherever the sessions are; one of another backend, who ' +
            'need not be there any more, in the store that --store names.',
        )
        .argument('<user>', 'name, e-mail address or key (sql:12, ldap:alice)')
        .option('--session <tag>', "only this one, by its tag in 'koa-strata sessions'"),
    ),
  )
    .addHelpText(
      'after',
      examples(
        'koa-strata revoke alice',
        'koa-strata revoke alice --session 3f9a0c17b2d4',
        'koa-strata revoke ldap:alice --store redis://127.0.0.1/0',
      ),
    )
    .action(carryOut(run))
}

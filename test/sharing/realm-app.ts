import type { ParameterizedContext } from 'koa'
import {
  type SessionContext,
  type SessionsOptions,
  type Stack,
  sessions,
  stack,
  type UserBackend,
  type UserContext,
  type UserState,
  users,
} from 'koa-strata'
import { requestUserOf } from '../../lib/users/request-user.ts'
import { KEY, WIDE_DEADLINE } from '../sessions/app.ts'
import { directory } from '../users/app.ts'

/** Whom a realm of a test knows, and how its sessions are kept. */
export interface IdentityOptions extends SessionsOptions {
  /** @default a directory of the name of the cookie, with alice and bob */
  backend?: UserBackend
}

type Identity = Stack<[ReturnType<typeof sessions>, ReturnType<typeof users>]>

/** Sessions under a cookie of this name, and users. */
export function identity(name: string, options: IdentityOptions = {}): Identity {
  const { backend = directory(name, { alice: {}, bob: {} }), ...given } = options
  return stack(
    sessions({ keys: [KEY], cookie: { name }, deadline: WIDE_DEADLINE, ...given }),
    users({ backends: [backend], throttle: false }),
  )
}

/**
 * Answers by the last part of the path, in whichever realm it is asked: `login?u=…&p=…`, `enter?as=key` without a password, `me`, `count`, `logout`,
 * `everywhere` and `everywhere?keep`.
 */
export async function pages(
  ctx: ParameterizedContext<UserState, SessionContext & UserContext & { realm?: string | null }>,
  next: () => Promise<void>,
): Promise<void> {
  const page = ctx.path.slice(ctx.path.lastIndexOf('/') + 1)
  const { u = '', p = 'pw', as = '' } = ctx.query as Record<string, string>
  if (page === 'login') {
    const user = await ctx.authenticate({ username: u, password: p })
    if (!user) return ctx.throw(401)
    await ctx.login(user)
  } else if (page === 'enter') {
    const [backend, id] = as.split(':') as [string, string]
    await ctx.login((await requestUserOf(ctx, 'test').by.find({ backend, id }))!)
  } else if (page === 'count') ctx.session.count = (ctx.session.count ?? 0) + 1
  else if (page === 'logout') await ctx.logout()
  else if (page === 'everywhere') await ctx.logoutEverywhere({ keepCurrent: ctx.query.keep !== undefined })
  else if (page !== 'me') return next()
  const { key, isStaff } = ctx.state.user
  ctx.body = JSON.stringify({ realm: ctx.realm ?? null, key, isStaff, count: ctx.session.count ?? 0 })
}

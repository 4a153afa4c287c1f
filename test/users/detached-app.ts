import type { ExecutionContext } from 'ava'
import {
  type AuthenticatedUser,
  type DetachedUsersOptions,
  detachedUsers,
  profiles,
  type SessionsOptions,
  sessions,
  type UserContext,
  users,
} from 'koa-strata'
import type { Owner } from '../servers/owner.ts'
import { KEY, startApp, type TestApp, type TestContext, WIDE_DEADLINE } from '../sessions/app.ts'

/** A directory whose users the session carries, and one whose users are loaded at each request. */
export const CARRIED = 'ldap'
export const LOADED = 'oidc'

/** What '/who' shows of somebody. */
export interface Shown {
  id: string
  key: string
  may: string[]
  profile: { of: string } | null
}

/** What it shows of a user of this directory. */
export function shown(backend: string, id: string): Shown {
  const key = `${backend}:${id}`
  return { id, key, may: [`${backend}.read`], profile: backend === CARRIED ? { of: key } : null }
}

/** What it shows of anonymous users. */
export const NOBODY: Shown = { id: '', key: '', may: [], profile: null }

/** Where somebody logs in: the password is the name of their directory. */
export function loginPath(backend: string, id: string): string {
  return `/login?p=${backend}&u=${encodeURIComponent(id)}`
}

/** Where an administrator ends all sessions of somebody. */
export function endPath(backend: string, id: string): string {
  return `/end-of?b=${backend}&u=${encodeURIComponent(id)}`
}

type Handler = (ctx: TestContext & UserContext) => unknown

const HANDLERS: Record<string, Handler> = {
  async '/login'(ctx) {
    const user = await ctx.authenticate({ username: String(ctx.query.u), password: String(ctx.query.p) })
    await ctx.login(user!)
    return user!.key
  },
  '/who': ({ state: { user } }): Shown => ({
    id: user.id,
    key: user.key,
    may: [CARRIED, LOADED].map(name => `${name}.read`).filter(name => user.hasPermission(name)),
    profile: user.profile,
  }),
  '/sessions': ctx => ctx.listSessions(),
  async '/end-others'(ctx) {
    for (const one of await ctx.listSessions()) if (!one.isCurrent) await one.end()
    return 'ended'
  },
  async '/end-of'(ctx) {
    await ctx.endSessions({ backend: String(ctx.query.b), id: String(ctx.query.u) })
    return 'ended'
  },
  async '/logout'(ctx) {
    await ctx.logout()
    return 'out'
  },
}

/** Serves two directories that know the same ids, each with a permission of its own; the users of one of them have a profile. */
export function startDetachedApp(owner: Owner, options: SessionsOptions): Promise<TestApp> {
  const backends = [CARRIED, LOADED].map(name => {
    const identityOf = async (id: string) => ({ id, permissions: [`${name}.read`] })
    const authenticate: DetachedUsersOptions['authenticate'] = async ({ username, password }) =>
      password === name ? identityOf(username!) : null
    return detachedUsers({ name, authenticate, ...(name === LOADED && { load: identityOf }) })
  })
  const find = async ({ key }: AuthenticatedUser) => (key.startsWith(`${CARRIED}:`) ? { of: key } : null)
  return startApp(owner as ExecutionContext, {
    layers: [
      sessions({ keys: [KEY], deadline: WIDE_DEADLINE, ...options }),
      users({ backends }),
      profiles({ employer: { find } }),
    ],
    handlers: HANDLERS as never,
  })
}

/** Has a few at a time do it, until all have. */
export async function each<One>(all: readonly One[], run: (one: One) => Promise<unknown>): Promise<void> {
  const left = [...all]
  const work = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await run(one)
  }
  await Promise.all(Array.from({ length: 7 }, work))
}

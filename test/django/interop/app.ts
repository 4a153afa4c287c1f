import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import { detachedUsers, sessionOrBasicAuth } from 'koa-strata'
import { type DjangoSessionsOptions, type DjangoUsersOptions, djangoSessions, djangoUsers } from 'koa-strata/django'
import type { TestApp } from '../../sessions/app.ts'
import { startUsersApp, type UsersContext, type UsersHandler } from '../../users/app.ts'
import { AGE, type Stage } from './ways.ts'

export interface AppOptions {
  /** What `djangoSessions()` is told in place of what is right. */
  sessions?: Partial<DjangoSessionsOptions>
  /** What `djangoUsers()` is. */
  users?: Partial<DjangoUsersOptions>
  handlers?: Record<string, UsersHandler>
}

/** The application beside Django. */
export interface App extends TestApp {
  readonly url: string
}

/** The password of whoever is a partner: somebody whom no table knows, by any name that starts with 'partner'. */
export const PARTNER_PASSWORD = 'partner pw'

const FORM = `<!doctype html>
<html lang="en">
<title>Log in</title>
<form method="post">
<input name="username"><input name="password" type="password">
<button type="submit">Log in</button>
</form>
</html>`

/** What a request was sent: JSON, or a form. */
async function bodyOf(ctx: UsersContext): Promise<Record<string, unknown>> {
  const body = await text(ctx.req)
  return ctx.is('urlencoded') ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body || '{}')
}

function describe({ state: { user }, query, session }: UsersContext): object {
  const { id, key, username, email, isAuthenticated, isStaff, isSuperuser } = user
  const permissions = String(query.permissions ?? '').split(',')
  const allowed = permissions.filter(permission => user.hasPermission(permission)).sort()
  return { id, key, username, email, isAuthenticated, isStaff, isSuperuser, allowed, session: session.toJSON() }
}

const HANDLERS: Record<string, UsersHandler> = {
  '/me': describe,

  async '/login'(ctx) {
    if (ctx.method === 'GET') {
      ctx.type = 'html'
      return FORM
    }
    const user = await ctx.authenticate(await bodyOf(ctx))
    if (!user) {
      ctx.status = 401
      return 'wrong'
    }
    await ctx.login(user)
    return describe(ctx)
  },

  async '/session'(ctx) {
    if (ctx.method === 'POST') {
      const { set = {}, delete: names = [] } = (await bodyOf(ctx)) as { set?: object; delete?: string[] }
      for (const name of names) delete ctx.session[name]
      Object.assign(ctx.session, set)
    }
    return ctx.session.toJSON()
  },

  async '/update'(ctx) {
    const { set } = await bodyOf(ctx)
    return { stored: await ctx.updateSession(draft => void Object.assign(draft, set)) }
  },

  async '/everywhere'(ctx) {
    await ctx.logoutEverywhere({ keepCurrent: ctx.query.keep !== undefined })
    return describe(ctx)
  },

  '/feed': ctx => ctx.state.user.username,
}

const FEED = sessionOrBasicAuth({ realm: 'Jobs' }) as unknown as Middleware
const guarded: Middleware = (ctx, next) => (ctx.path === '/feed' ? FEED(ctx as never, next) : next())

/** Serves the sessions and users of a Django, with partners beside them. */
export async function startBeside(
  t: ExecutionContext,
  { site, knex, options }: Stage,
  { sessions = {}, users = {}, handlers = {} }: AppOptions = {},
): Promise<App> {
  const keys = { secretKey: site.secretKey }
  const partners = detachedUsers({
    name: 'partners',
    authenticate: async ({ username = '', password }) =>
      username.startsWith('partner') && password === PARTNER_PASSWORD ? { id: username } : null,
  })
  const app = await startUsersApp(t, {
    ...djangoSessions({ ...options, ...keys, age: AGE, ...sessions }),
    keys: undefined,
    backends: [djangoUsers(knex, { ...keys, ...users }), partners],
    above: [guarded],
    handlers: { ...HANDLERS, ...handlers },
  })
  return { ...app, url: `http://127.0.0.1:${app.port}` }
}

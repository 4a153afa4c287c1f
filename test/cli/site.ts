import type { ExecutionContext } from 'ava'
import { detachedUsers, type SessionStore, sessions, users } from 'koa-strata'
import type { SqlUsers } from 'koa-strata/sql'
import { type Browser, KEY, startApp, type TestContext, WIDE_DEADLINE } from '../sessions/app.ts'

/** Logs somebody in who goes by this at a backend, and answers the browser. */
export type LogIn = (username: string, password: string) => Promise<Browser>

/**
 * A site whose users are those of the database and, as `ldap:<name>`, whoever comes with the password 'directory'. '/me' says who somebody is.
 */
export async function site(t: ExecutionContext, people: SqlUsers, store: SessionStore) {
  const directory = detachedUsers({
    name: 'ldap',
    authenticate: async ({ username, password }) => (password === 'directory' ? { id: username! } : null),
  })
  const app = await startApp(t, {
    layers: [sessions({ keys: [KEY], store, deadline: WIDE_DEADLINE }), users({ backends: [people, directory] })],
    handlers: {
      '/login': async given => {
        const ctx = given as TestContext & {
          authenticate(credentials: object): Promise<object | null>
          login(user: object): Promise<void>
        }
        const user = await ctx.authenticate({ username: ctx.query.name, password: ctx.query.password })
        if (!user) return ctx.throw(401)
        await ctx.login(user)
        return 'in'
      },
      '/me': ctx => ctx.state.user.key || 'nobody',
    },
  })
  const logIn: LogIn = async (name, password) => {
    const browser = app.browser()
    t.is((await browser.get(`/login?${new URLSearchParams({ name, password })}`)).status, 200)
    return browser
  }
  const whoIs = async (browser: Browser) => (await browser.get('/me')).text
  return { logIn, whoIs }
}

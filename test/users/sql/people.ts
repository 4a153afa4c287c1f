import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import { requirePermission, sessions, users } from 'koa-strata'
import { type SqlUsers, sqlUsers } from 'koa-strata/sql'
import { DATABASES, type DatabaseName, migratedDatabase } from '../../database/servers.ts'
import { KEY, startApp, type TestContext } from '../../sessions/app.ts'

export const PASSWORD = 'pässwörd☃ of nobody else'
/** Credentials that are right for somebody named admin. */
export const right = { username: 'admin', password: PASSWORD }
/** A hash of PASSWORD that was made elsewhere. */
export const OLD_HASH = 'pbkdf2_sha256$1000$seasalt$CNflm46NFCaPbmtA0Ws3+tK5zVF16oDv0ejgFckUaQA='

/** Declares a test for each database, whose name its title tells behind the promise. */
export function testEach(title: string, run: (t: ExecutionContext, name: DatabaseName) => Promise<void>): void {
  const [, promise, rest] = /^([A-Z]\d+: )?(.+)$/s.exec(title)!
  for (const name of DATABASES) test(`${promise ?? ''}${name}: ${rest}`, t => run(t, name))
}

/** A database of the test's own, the users in it, and the queries that reach it. */
export async function database(
  t: ExecutionContext,
  name: DatabaseName = 'sqlite',
): Promise<{ knex: Knex; people: SqlUsers; queries: string[] }> {
  const { knex } = await migratedDatabase(t, name)
  const queries: string[] = []
  knex.on('query', ({ sql }) => queries.push(sql))
  return { knex, people: sqlUsers(knex), queries }
}

/** Text with what cannot be seen or told apart in a title spelt out. */
export function spelt(text: string): string {
  return text.replace(/[^!-~]/gu, char => `<${char.codePointAt(0)!.toString(16)}>`)
}

/** An app in which people log in with a password at '/login', and are told at '/me' who they are. */
export async function site(t: ExecutionContext, name?: DatabaseName) {
  const { knex, people } = await database(t, name)
  const app = await startApp(t, {
    layers: [sessions({ keys: [KEY] }), users({ backends: [people] })],
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
      '/me': ctx => ctx.state.user.username || 'nobody',
      '/reports': async ctx => {
        await requirePermission('reports.read')(ctx as never, async () => {})
        return 'reports'
      },
    },
  })
  const logIn = async (name: string, password = PASSWORD) => {
    const browser = app.browser()
    const query = new URLSearchParams({ name, password })
    t.is((await browser.get(`/login?${query}`)).status, 200)
    return browser
  }
  return { app, knex, people, logIn }
}

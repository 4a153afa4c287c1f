/** A project that has a database and a router too: the other doors, together with the root door. */
import Router from '@koa/router'
import knex, { type Knex } from 'knex'
import type Koa from 'koa'
import {
  type ContextOf,
  profiles,
  requireProfile,
  type StateOf,
  sessionOrBasicAuth,
  sessions,
  stack,
  users,
} from 'koa-strata'
import {
  atPath,
  authRequest,
  forceHttps,
  publicUrl,
  realms,
  remoteUser,
  remoteUsers,
  trustedProxies,
} from 'koa-strata/sharing'
import { migrate, sqlProfiles, sqlUsers } from 'koa-strata/sql'
import { sqlStore } from 'koa-strata/stores/sql'
import { loginAs, sessionStoreChecks, userBackendChecks } from 'koa-strata/testing'

interface Employer {
  user_key: string
  company: string
}

export const db: Knex = knex({
  client: 'better-sqlite3',
  connection: { filename: ':memory:' },
  useNullAsDefault: true,
  pool: { min: 1, max: 1 },
})
export const accounts = sqlUsers(db)
export const identity = stack(
  sessions({ store: sqlStore(db), keys: ['0123456789abcdef0123456789abcdef'] }),
  users({ backends: [accounts, remoteUsers()] }),
  remoteUser({ trust: ['127.0.0.1'] }),
  profiles({ employer: sqlProfiles<Employer>(db, { table: 'employers' }) }),
)

export const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
router.get('/company', requireProfile('employer'), ctx => {
  const company: string = ctx.state.user.profile.company
  ctx.body = company
})
router.get('/feed', sessionOrBasicAuth({ realm: 'Jobs', requireHttps: false }), ctx => {
  ctx.body = ctx.state.user.username
})
router.post('/login', async ctx => {
  const user = await ctx.authenticate({ username: 'ann', password: 'correct horse battery' })
  if (!user) return ctx.throw(401)
  await ctx.login(user)
  ctx.status = 204
})

router.get('/auth', authRequest({ permission: 'documents.read' }))

export const staff = stack(
  sessions({ keys: ['fedcba9876543210fedcba9876543210'], cookie: { name: 'staff' } }),
  users({ backends: [sqlUsers(db, { name: 'staff' })] }),
)
export const site = realms({
  admin: { match: atPath('/admin'), stack: staff },
  site: { stack: stack(identity, router.routes()) },
})
export const url = publicUrl({ origin: 'https://www.example', prefix: '/app' })
export const around = stack(trustedProxies(['127.0.0.1'], { hosts: ['www.example'] }), forceHttps(), site)
export const realmOf = (ctx: ContextOf<typeof site>): 'admin' | 'site' => ctx.realm

export async function seed(): Promise<void> {
  await migrate(db)
  await db.schema.createTable('employers', table => {
    table.string('user_key').primary()
    table.string('company')
  })
  const ann = await accounts.create({ username: 'ann', password: 'correct horse battery' })
  await db<Employer>('employers').insert({ user_key: ann.key, company: 'Acme' })
}

export const titles: string[] = [...Object.keys(sessionStoreChecks), ...Object.keys(userBackendChecks)]

/** What to send as Cookie to be ann. */
export async function cookieOfAnn(app: Koa): Promise<string> {
  const ann = await accounts.find({ username: 'ann' })
  if (!ann) throw new Error('ann is not there')
  return loginAs(app, ann)
}

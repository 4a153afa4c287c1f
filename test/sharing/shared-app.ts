import knexFactory, { type Knex } from 'knex'
import type { Middleware } from 'koa'
import {
  type CookieOptions,
  DetachedUser,
  type DetachedUserInit,
  detachedUsers,
  profiles,
  type SessionStore,
  type SessionsOptions,
  sessions,
  type UserContext,
  users,
} from 'koa-strata'
import { sqlProfiles, sqlUsers } from 'koa-strata/sql'
import type { Owner } from '../servers/owner.ts'
import { type Gate, gate, startApp, type TestContext, WIDE_DEADLINE } from '../sessions/app.ts'
import { slowWrites } from '../sessions/slow-writes.ts'
import { openPlace, type Place } from '../users/detached-places.ts'
import { bareSessions } from './shared-bare.ts'

/** An application of an organisation, in words that another process can be told. */
export interface ApplicationSetting {
  /** What it calls itself; each has a table of profiles by this name in a database of its own. */
  name: 'shop' | 'forum'
  /** The database of its own. */
  own: Knex.Config
  /** The database of all users. */
  people: Knex.Config
  /** Where the sessions of all are. */
  place: Place
  keys: string[]
  cookie?: CookieOptions
  /** What keeps its sessions. @default 'sessions()' */
  by?: 'koa-session'
}

/** The password of everybody. */
export const PASSWORD = 'the password of everybody'

type Handler = (ctx: TestContext & UserContext) => unknown

const gates = new Map<string, Gate>()

/** The gate of this name, whoever comes to it first. */
function gateNamed(name: unknown): Gate {
  const found = gates.get(String(name)) ?? gate()
  gates.set(String(name), found)
  return found
}

/** Stops the request once it has got so far, where it names a gate. */
async function stop(ctx: TestContext): Promise<void> {
  if (ctx.query.gate !== undefined) await gateNamed(ctx.query.gate).pass()
}

/** Lets a test in another process wait until a request stands at a gate, and open it. */
const gatekeeper: Middleware = async (ctx, next) => {
  if (ctx.path === '/reached') await gateNamed(ctx.query.gate).reached
  else if (ctx.path === '/open') gateNamed(ctx.query.gate).open()
  else return next()
  ctx.body = ''
}

const SLOW = slowWrites(stop)

/** What writes to the session after it was at a gate, or only reads it. */
export const SLOW_PATHS = Object.keys(SLOW)

/** What needs nothing but a session. */
const HANDLERS: Record<string, Handler> = {
  '/values': ctx => ctx.session.toJSON(),
  '/set': ctx => {
    Object.assign(ctx.session, ctx.query)
    return ''
  },
  '/null': ctx => {
    ctx.session = null
    return ''
  },
  ...SLOW,
}

function handlersFor(people: ReturnType<typeof sqlUsers>): Record<string, Handler> {
  return {
    ...HANDLERS,
    '/who': ({ state: { user }, session }) => ({
      key: user.key,
      username: user.username,
      attributes: user instanceof DetachedUser ? user.attributes : null,
      may: ['prices.change', 'posts.remove'].filter(permission => user.hasPermission(permission)),
      kinds: ['isCustomer', 'isMember'].filter(flag => user[flag]),
      profile: user.profile,
      session: session.toJSON(),
    }),
    async '/login'(ctx) {
      const user = await ctx.authenticate({ username: String(ctx.query.u), password: PASSWORD })
      if (!user) return ctx.throw(401)
      await ctx.login(user)
      return user.key
    },
    async '/logout'(ctx) {
      await ctx.logout()
      return ''
    },
    async '/everywhere'(ctx) {
      await ctx.logoutEverywhere({ keepCurrent: ctx.query.keep !== undefined })
      return ctx.state.user.key
    },
    async '/password'({ state: { user } }) {
      await people.setPassword(user.id, PASSWORD)
      return ''
    },
    async '/deactivate'({ state: { user } }) {
      await people.deactivate(user.id)
      return ''
    },
    async '/remove'(ctx) {
      await ctx.updateSession(draft => {
        delete draft[String(ctx.query.key)]
      })
      return ''
    },
  }
}

/** People without a record, whose names begin with the name of their directory, and whom the session carries. */
function directoryOf(name: string, describe: (username: string) => Partial<DetachedUserInit> = () => ({})) {
  return detachedUsers({
    name,
    authenticate: async ({ username = '', password }) =>
      username.startsWith(`${name}-`) && password === PASSWORD ? { id: username, ...describe(username) } : null,
  })
}

/**
 * Serves one application, and answers its port. Both know the users of the database and those of the directory `staff`; the shop alone knows its
 * `partners`, and the forum alone its `guests`.
 */
export async function startApplication(owner: Owner, setting: ApplicationSetting): Promise<number> {
  const open = (config: Knex.Config) => {
    const knex = knexFactory(config)
    owner.teardown(() => knex.destroy())
    return knex
  }
  const { name, keys, cookie } = setting
  const own = open(setting.own)
  const people = sqlUsers(open(setting.people))
  const store = await openPlace(owner, setting.place)
  const staff = directoryOf('staff', username => ({
    username: `${username} of us`,
    permissions: ['prices.change', 'posts.remove'],
    attributes: { office: { floor: 3, rooms: ['a', 'b'] } },
  }))
  const foreign = directoryOf(name === 'shop' ? 'partners' : 'guests')
  const options: SessionsOptions = { store, keys, cookie, deadline: WIDE_DEADLINE }
  const layers =
    setting.by === 'koa-session'
      ? [bareSessions(store as SessionStore)]
      : [
          sessions(options),
          users({ backends: [people, staff, foreign] }),
          profiles(
            name === 'shop'
              ? { customer: sqlProfiles<{ town: string }>(own, { table: 'shop' }) }
              : { member: sqlProfiles<{ motto: string }>(own, { table: 'forum' }) },
          ),
        ]
  const handlers = setting.by === 'koa-session' ? HANDLERS : handlersFor(people)
  const { port } = await startApp(owner as never, { outside: [gatekeeper], layers, handlers: handlers as never })
  return port
}

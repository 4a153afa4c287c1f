/** The server of capacity.ts, in a process of its own: REDIS_URL and DATABASE_URL say on what. It counts what it sends to Redis. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import { Redis } from 'ioredis'
import Koa from 'koa'
import { type ContextOf, profiles, type StateOf, sessionOrBasicAuth, sessions, stack, users } from 'koa-strata'
import { sqlFeedTokens, sqlProfiles, sqlUsers } from 'koa-strata/sql'
import { redisStore } from 'koa-strata/stores/redis'
import { openDatabase } from '../../recipes/cluster/database.ts'

/** What a session holds beside the login: some 200 bytes of JSON. */
const BASKET = Array.from({ length: 5 }, (_, item) => ({ article: `article-${1000 + item}`, count: item + 1 }))
/** More than the minute for which a session's expiry stays where it is, in milliseconds. */
const LATER = 61_000

let later = 0
const now = () => Date.now() + later

const redis = new Redis(process.env.REDIS_URL!)
const database = openDatabase(process.env.DATABASE_URL!)
let commands = 0
const send = redis.sendCommand.bind(redis)
redis.sendCommand = (...args) => {
  commands++
  return send(...args)
}

const identity = stack(
  sessions({ store: redisStore(redis, { now }), keys: ['a key of the benchmark, 32 bytes or more'], now }),
  users({ backends: [sqlUsers(database)], throttle: { redis } }),
  profiles({ member: sqlProfiles<{ boat: string }>(database, { table: 'members' }) }),
)
const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
router.get('/', ctx => {
  const { user } = ctx.state
  ctx.body = user.isMember ? user.profile.boat : 'nobody'
})
router.post('/laps', async ctx => {
  await ctx.updateSession(session => {
    session.laps = (session.laps ?? 0) + 1
  })
  ctx.body = 'rowed'
})
router.post('/login', async ctx => {
  const user = await ctx.authenticate(ctx.request.body ?? {})
  if (!user) return ctx.throw(401)
  await ctx.login(user)
  ctx.session.basket = BASKET
  ctx.body = 'logged in'
})
router.post('/logout', async ctx => {
  await ctx.logout()
  ctx.body = 'logged out'
})
router.get('/feed', sessionOrBasicAuth({ realm: 'Bench', tokens: sqlFeedTokens(database) }), ctx => {
  ctx.body = 'a feed'
})

const app = new Koa()
app.use((ctx, next) => {
  if (ctx.get('x-later') !== '') later += LATER
  return next()
})
app.use(bodyParser()).use(identity).use(router.routes())
const server = createServer(app.callback()).listen(0, '127.0.0.1')
server.keepAliveTimeout = 0
await once(server, 'listening')
process.on('message', () => process.send!(commands))
process.once('disconnect', () => process.exit())
process.send!((server.address() as AddressInfo).port)

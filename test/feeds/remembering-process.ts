/**
 * A process of an application with a feed, which writes a snapshot of its memory into the file that it is told. Usage: node remembering-process.ts
 * <the file of the users> <whether it keeps the credentials of each poll besides>
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { writeHeapSnapshot } from 'node:v8'
import knexFactory from 'knex'
import Koa from 'koa'
import { sessionOrBasicAuth, sessions, users } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'

const [filename = '', keeps] = process.argv.slice(2)
const knex = knexFactory({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true })
const kept: string[] = []
const app = new Koa()
app.use(async (ctx, next) => {
  if (keeps === 'true') kept.push(Buffer.from(ctx.get('Authorization').slice(6), 'base64').toString())
  await next()
})
app.use(sessions({ keys: ['a key of the tests, 32 bytes or more'] }))
app.use(users({ backends: [sqlUsers(knex)] }))
app.use(sessionOrBasicAuth({ realm: 'Jobs' }))
app.use(ctx => {
  ctx.body = ctx.state.user.username
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
process.on('message', file => process.send!(writeHeapSnapshot(String(file))))
process.once('disconnect', () => process.exit())
process.send!((server.address() as AddressInfo).port)

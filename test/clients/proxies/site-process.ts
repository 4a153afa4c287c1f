/**
 * One of the processes of the site behind the proxies, which share its folder: sessions, and what was counted. Usage: node site-process.ts
 * <folder> <port> <whether its cookies are Secure>. It says when it listens, and ends with whoever started it.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import { type ContextOf, detachedUsers, type StateOf, sameOrigin, sessions, stack, users } from 'koa-strata'
import { remoteUser, remoteUsers, trustedProxies } from 'koa-strata/sharing'
import { fileStore } from 'koa-strata/stores/file'
import { HOST, PROXY } from './site.ts'

const [folder = '', port = '', secure = ''] = process.argv.slice(2)
const identity = stack(
  sessions({ store: fileStore(join(folder, 'sessions')), cookie: { secure: secure === 'true' }, deadline: 10_000 }),
  users({
    backends: [
      detachedUsers({
        name: 'form',
        authenticate: async ({ username = '', password }) => (password === `${username} pw` ? { id: username } : null),
      }),
      remoteUsers(),
    ],
  }),
  remoteUser({ trust: [PROXY], persistent: true }),
)

const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()
router.get(['/', '/staff'], ctx => {
  const { ip, ips, protocol, secure, host, href, state } = ctx
  const { key: user, backend } = state.user
  const headers = [ctx.get('Forwarded'), ctx.get('Authorization')]
  ctx.body = { pid: process.pid, user, backend, ip, ips, protocol, secure, host, href, headers }
})
// For proxies that look whether it is up.
router.get('/healthz', ctx => {
  ctx.body = 'up'
})
router.post('/login', async ctx => {
  const user = await ctx.authenticate(ctx.request.body ?? {})
  if (!user) return ctx.throw(401)
  await ctx.login(user)
  ctx.status = 204
})
router.post('/logout', async ctx => {
  await ctx.logout()
  ctx.status = 204
})
router.post('/count', async ctx => {
  const { id } = ctx.request.body as { id: string }
  // Before it is acknowledged, and in a file, so that it outlives this process.
  appendFileSync(join(folder, 'counted'), `${id}\n`)
  // So long that many are counted and not answered when this process dies.
  await wait(100)
  ctx.body = { pid: process.pid, user: ctx.state.user.key }
})

const app = new Koa({ proxy: true, keys: ['the key of all processes, 32 bytes or more'] })
app.silent = true
app
  .use(trustedProxies([PROXY], { hosts: [HOST] }))
  .use(sameOrigin())
  .use(bodyParser())
  .use(identity)
  .use(router.routes())
app.listen(Number(port), HOST, () => process.send!('listening'))
process.once('disconnect', () => process.exit())

/** Does with sessions whatever can be done with them. Usage: node debugged-app.ts <mark>; prints the ids that there were, as JSON. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { sessions } from '../../lib/sessions/layer.ts'
import { Browser, KEY, LOGINS, live, type TestContext } from './app.ts'

const [mark = ''] = process.argv.slice(2)
const handlers: Record<string, (ctx: TestContext) => unknown> = {
  ...LOGINS,
  '/set': ctx => {
    ctx.session.value = mark
  },
  '/replace': ctx => {
    ctx.session = { value: mark }
  },
  '/save': async ctx => {
    ctx.session.saved = mark
    await ctx.session.save()
    ctx.session[mark] = 1
    await ctx.session.manuallyCommit()
  },
  '/update': ctx => ctx.updateSession(draft => Object.assign(draft, { updated: mark })),
  '/read': ctx => ctx.session.value,
  '/snapshot': ctx =>
    live(ctx).logIn({ backend: 'test', id: mark, stamp: mark, snapshot: { name: mark, id: mark, backend: mark } }),
}

const app = new Koa()
app.use(sessions({ keys: [KEY] }))
app.use(async ctx => {
  await handlers[ctx.path]!(ctx as unknown as TestContext)
  ctx.body = ''
})
const server = app.listen(0, '127.0.0.1')
await new Promise(resolve => server.once('listening', resolve))
const browser = new Browser((server.address() as AddressInfo).port, new http.Agent())
const ids = new Set<string>()
for (const path of [
  'set',
  'read',
  'replace',
  'save',
  'update',
  'login?user=ada',
  'read',
  'regenerate',
  'snapshot',
  'set',
  'null',
  'save',
  'logout',
]) {
  const { status } = await browser.get(`/${path}`)
  if (status !== 200) throw new Error(`/${path} answered ${status}`)
  const id = browser.cookies.get('sid')?.split('.')[0]
  if (id) ids.add(id)
}
server.close()
console.log(JSON.stringify([...ids]))

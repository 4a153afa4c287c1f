/** Runs what every-door.ts puts together: a login and a feed, over real HTTP. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { cookieOfAnn, db, identity, router, seed, titles } from './every-door.ts'

await seed()
const app = new Koa()
app.use(identity).use(router.routes())
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
try {
  const refused = await fetch(`${origin}/company`)
  assert.equal(refused.status, 401)

  const login = await fetch(`${origin}/login`, { method: 'POST' })
  assert.equal(login.status, 204)
  const [cookie = ''] = login.headers.getSetCookie().map(one => one.split(';')[0] ?? '')
  const company = await fetch(`${origin}/company`, { headers: { cookie } })
  assert.equal(await company.text(), 'Acme')

  const asAnn = await fetch(`${origin}/company`, { headers: { cookie: await cookieOfAnn(app) } })
  assert.equal(await asAnn.text(), 'Acme')

  const authorization = `Basic ${Buffer.from('ann:correct horse battery').toString('base64')}`
  const feed = await fetch(`${origin}/feed`, { headers: { authorization } })
  assert.equal(await feed.text(), 'ann')
  assert.deepEqual(feed.headers.getSetCookie(), [])

  assert.ok(titles.length > 0)
} finally {
  server.close()
  server.closeAllConnections()
  await db.destroy()
}
console.log('every door opens')

/**
 * The service of a personnel department, in a process of its own: `node service.ts <port> <folder>`. It knows the profiles of people by the keys
 * of their users. The folder holds `tokens.json`, whose `read` is for those who look up and whose `write` is for those who change, and
 * `profiles.json`, which it keeps itself.
 *
 *   GET    /profile?user=<key>                    200 { user, profile }, 404 { user, profile: null }
 *   POST   /profiles/look-up { users: [<key>…] }  200 { profiles: [{ user, profile or null }…] }
 *   PUT    /profile?user=<key> <profile>          204
 *   DELETE /profile?user=<key>                    204
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa, { type Context } from 'koa'

/** The most users of one look-up: `profiles()` asks for 500 at once at most. */
const MOST_USERS = 500

const [port = '0', folder = '.'] = process.argv.slice(2)
const tokens: Record<'read' | 'write', string> = JSON.parse(readFileSync(join(folder, 'tokens.json'), 'utf8'))
const file = join(folder, 'profiles.json')
// Pairs, since a key may be any text.
const profiles = new Map<string, object>(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [])

function keep(): void {
  writeFileSync(`${file}.new`, JSON.stringify([...profiles]), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

function isToken(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}

/** RFC 6750: 401 without a token that is known, 403 with one that may not do this. */
function admit(ctx: Context): void {
  const [, given = ''] = /^Bearer ([\w.~+/-]+=*)$/i.exec(ctx.get('authorization')) ?? []
  const isWriter = isToken(given, tokens.write)
  if (!isWriter && !isToken(given, tokens.read)) ctx.throw(401, { headers: { 'WWW-Authenticate': 'Bearer' } })
  if (!isWriter && ['PUT', 'DELETE'].includes(ctx.method)) ctx.throw(403)
}

function userIn(ctx: Context): string {
  const { user } = ctx.query
  if (typeof user !== 'string' || user === '') return ctx.throw(400, 'Name one user: ?user=<key>.')
  return user
}

const found = (user: string) => ({ user, profile: profiles.get(user) ?? null })

const router = new Router()
router.get('/profile', ctx => {
  const answer = found(userIn(ctx))
  ctx.status = answer.profile ? 200 : 404
  ctx.body = answer
})
router.post('/profiles/look-up', ctx => {
  const { users } = (ctx.request.body ?? {}) as { users?: unknown }
  if (!Array.isArray(users) || users.length > MOST_USERS || !users.every(user => typeof user === 'string'))
    return ctx.throw(400, `Send { "users": [<key>…] }, ${MOST_USERS} at most.`)
  ctx.body = { profiles: users.map(found) }
})
router.put('/profile', ctx => {
  const profile = ctx.request.body
  if (typeof profile !== 'object' || profile === null || Array.isArray(profile))
    return ctx.throw(400, 'Send an object.')
  profiles.set(userIn(ctx), profile)
  keep()
  ctx.status = 204
})
router.delete('/profile', ctx => {
  profiles.delete(userIn(ctx))
  keep()
  ctx.status = 204
})

const app = new Koa()
app
  .use((ctx, next) => {
    admit(ctx)
    return next()
  })
  // 500 keys of 1,024 bytes that JSON writes in six characters each.
  .use(bodyParser({ enableTypes: ['json'], jsonLimit: '4mb' }))
  .use(router.routes())
  .use(router.allowedMethods())
app.listen(Number(port), '127.0.0.1')

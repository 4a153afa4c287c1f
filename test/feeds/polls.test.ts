import test from 'ava'
import type { Middleware } from 'koa'
import { cookieStore, memoryStore, permissionOrBasicAuth } from 'koa-strata'
import type { TestContext } from '../sessions/app.ts'
import { basic, CHALLENGE, type FeedAppOptions, fieldsOf, jobsFeed, RIGHT } from './people.ts'

/** Answers with an ETag, and with 304 where the client has the newest. */
function conditional(ctx: TestContext) {
  ctx.set('Content-Type', 'application/atom+xml')
  ctx.set('Last-Modified', 'Sat, 07 Nov 2026 10:00:00 GMT')
  ctx.set('ETag', '"v1"')
  ctx.body = '<feed/>'
  if (ctx.fresh) {
    ctx.status = 304
    ctx.body = null
  }
}

const WRITERS: Record<string, (ctx: TestContext) => unknown> = {
  'reads ctx.session': ctx => ctx.session.isNew,
  'writes ctx.session': ctx => {
    ctx.session.polls = 1
    return 'written'
  },
  'sets ctx.session anew': ctx => {
    ctx.session = { polls: 1 } as never
    return 'set'
  },
  'ends ctx.session': ctx => {
    ctx.session = null as never
    return 'ended'
  },
  'saves ctx.session itself': async ctx => {
    ctx.session.polls = 1
    await ctx.session.save()
    return 'saved'
  },
  'gives ctx.session a new id': async ctx => {
    await ctx.session.regenerate()
    return 'renewed'
  },
  'uses updateSession': async ctx =>
    String(
      await ctx.updateSession(draft => {
        draft.polls = 1
      }),
    ),
  'writes ctx.session and throws': ctx => {
    ctx.session.polls = 1
    ctx.throw(404)
  },
}

for (const [what, handler] of Object.entries(WRITERS)) {
  test(`B3: a poll makes no session and gets no cookie, also where its handler ${what}`, async t => {
    const { browser, store, hidden } = await jobsFeed(t, { handler })
    const answer = await browser().get('/feed', { authorization: RIGHT })
    t.true([200, 404].includes(answer.status))
    t.deepEqual(answer.setCookies, [])
    t.deepEqual(store.calls, [])
    t.deepEqual(hidden, [])
  })

  test(`B3: a poll whose cookie leads to another session leaves it as it is, also where its handler ${what}`, async t => {
    const guard = permissionOrBasicAuth('reports.read', { realm: 'Jobs' })
    const { browser, hidden } = await jobsFeed(t, { guard, handler })
    const somebody = browser()
    await somebody.get('/login/plain')
    const before = somebody.cookie
    const answer = await somebody.get('/feed', { authorization: basic('chief', 'chief pw') })
    t.true([200, 404].includes(answer.status))
    t.deepEqual(answer.setCookies, [])
    t.is(somebody.cookie, before)
    t.deepEqual((await somebody.get('/me')).json, { name: 'plain', note: 'note of plain' })
    t.deepEqual(hidden, [])
  })
}

test("B3: a poll does not see the data of the cookie's session, which may be another user's", async t => {
  const guard = permissionOrBasicAuth('reports.read', { realm: 'Jobs' })
  const { browser } = await jobsFeed(t, {
    guard,
    handler: ctx => `${ctx.state.user.username} ${ctx.session.note ?? 'nothing'}`,
  })
  const [logged, anonymous] = [browser(), browser()]
  await logged.get('/login/plain')
  await anonymous.get('/note')
  const authorization = basic('chief', 'chief pw')
  t.is((await logged.get('/feed', { authorization })).text, 'chief nothing')
  t.is((await anonymous.get('/feed', { authorization })).text, 'chief nothing')
  t.deepEqual((await anonymous.get('/me')).json, { name: '', note: 'note of nobody' })
})

test('B3: a handler that logs the Basic user in makes a session, with what it writes', async t => {
  const handler = async (context: TestContext) => {
    const ctx = context as TestContext & { login(user: unknown): Promise<void> }
    await ctx.login(ctx.state.user)
    ctx.session.note = 'made by the feed'
    return 'in'
  }
  const { browser } = await jobsFeed(t, { handler })
  const reader = browser()
  t.is((await reader.get('/feed', { authorization: RIGHT })).setCookies.length, 1)
  t.deepEqual((await reader.get('/me')).json, { name: 'Aladdin', note: 'made by the feed' })
})

test('B3: HEAD answers as GET does, without a body', async t => {
  const { browser } = await jobsFeed(t, { handler: conditional })
  for (const headers of [{ authorization: RIGHT }, {}, { authorization: RIGHT, 'if-none-match': '"v1"' }]) {
    const [get, head] = [await browser().get('/feed', headers), await browser().get('/feed', headers, 'HEAD')]
    t.is(head.status, get.status)
    t.deepEqual({ ...head.headers, date: '' }, { ...get.headers, date: '' })
    t.is(head.text, '')
  }
})

/** What koa-conditional-get does. */
const conditionalGet: Middleware = async (ctx, next) => {
  await next()
  if (ctx.fresh) {
    ctx.status = 304
    ctx.body = null
  }
}

for (const [where, given] of Object.entries<FeedAppOptions>({
  'in the handler': { handler: conditional },
  'in a middleware outside': {
    outside: [conditionalGet],
    handler: ctx => {
      ctx.set('ETag', '"v1"')
      ctx.set('Last-Modified', 'Sat, 07 Nov 2026 10:00:00 GMT')
      return 'feed'
    },
  },
})) {
  test(`B3: a conditional GET that is answered ${where} is checked after the login, never before`, async t => {
    const { browser } = await jobsFeed(t, given)
    for (const condition of [
      { 'if-none-match': '"v1"' },
      { 'if-none-match': '*' },
      { 'if-modified-since': 'Sat, 07 Nov 2026 10:00:00 GMT' },
    ]) {
      const fresh = await browser().get('/feed', { authorization: RIGHT, ...condition })
      t.is(fresh.status, 304)
      t.is(fresh.text, '')
      t.is(fresh.headers['cache-control'], 'private')
      t.deepEqual(fieldsOf(fresh.headers.vary), ['authorization', 'cookie'])
      for (const authorization of ['', basic('Aladdin', 'wrong'), basic('asleep', 'asleep pw')]) {
        for (const method of ['GET', 'HEAD']) {
          const refused = await browser().get(
            '/feed',
            { ...(authorization && { authorization }), ...condition },
            method,
          )
          t.is(refused.status, 401)
          t.is(refused.headers['www-authenticate'], CHALLENGE)
          t.is(refused.headers.etag, undefined)
        }
      }
    }
    t.is((await browser().get('/feed', { authorization: RIGHT, 'if-none-match': '"v0"' })).status, 200)
  })
}

test('B3: with cookieStore() a poll gets no cookie either, whatever its handler writes', async t => {
  for (const handler of Object.values(WRITERS)) {
    const { browser, hidden } = await jobsFeed(t, {
      store: cookieStore({ epochs: memoryStore() }),
      handler,
    })
    t.deepEqual((await browser().get('/feed', { authorization: RIGHT })).setCookies, [])
    t.deepEqual(hidden, [])
  }
})

import test from 'ava'
import { startApp, WIDE_DEADLINE } from './app.ts'
import { reasons, SESSION_HANDLERS, startOn } from './stored-app.ts'
import { STORES } from './stores.ts'

const DAY = 86_400_000

for (const [name, { setup }] of Object.entries(STORES)) {
  test(`S5: ${name}: a session ends after the idle timeout without a request, and lasts while there are requests.`, async t => {
    const { browser, advance } = await startOn(t, { setup }, { idleTimeout: DAY })
    await browser.get('/write')
    for (let day = 0; day < 5; day++) {
      advance(DAY - 1)
      t.is((await browser.get('/read')).json.views, 1)
    }
    advance(DAY)
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`S5: ${name}: a request that does not look at the session keeps it alive too.`, async t => {
    const { browser, advance } = await startOn(t, { setup }, { idleTimeout: DAY })
    await browser.get('/write')
    for (let day = 0; day < 3; day++) {
      advance(DAY - 1)
      await browser.get('/nothing')
    }
    t.is((await browser.get('/read')).json.views, 1)
  })

  test(`S5: ${name}: the expiry is moved on at most once a minute, and only then.`, async t => {
    const { store, browser, advance } = await startOn(t, { setup })
    const touches = () => store.calls.splice(0).filter(call => call === 'touch').length
    await browser.get('/write')
    for (let second = 0; second < 60; second += 10) {
      await browser.get('/read')
      await browser.get('/nothing')
      advance(10_000)
    }
    t.is(touches(), 0)
    advance(1)
    await browser.get('/read')
    t.is(touches(), 1)
    for (let second = 0; second < 60; second += 10) {
      await browser.get('/read')
      advance(10_000)
    }
    t.is(touches(), 0)
    advance(1)
    await browser.get('/nothing')
    t.is(touches(), 1)
    await browser.get('/write')
    advance(59_000)
    await browser.get('/read')
    t.is(touches(), 0, 'a write moves it on as well')
  })

  test(`S5: ${name}: a short idle timeout is kept to the quarter of it.`, async t => {
    const { browser, advance } = await startOn(t, { setup }, { idleTimeout: 8000 })
    await browser.get('/write')
    for (let times = 0; times < 10; times++) {
      advance(5999)
      t.is((await browser.get('/read')).json.views, 1)
    }
    advance(8000)
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`S5: ${name}: a shorter idle timeout holds for sessions that are there.`, async t => {
    const { open, now, advance } = await setup(t)
    const store = await open()
    const wide = { deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS }
    const before = (await startApp(t, { store, now, idleTimeout: 30 * DAY, ...wide })).browser()
    await before.get('/write')
    const after = (await startApp(t, { store, now, idleTimeout: DAY, ...wide })).browser()
    t.is((await after.get('/read', { cookie: before.cookie })).json.views, 1)
    advance!(DAY)
    t.is((await after.get('/read', { cookie: before.cookie })).json.views, undefined)
  })

  test(`S5: ${name}: nothing extends the absolute timeout: no request, save, update, regenerate.`, async t => {
    const gone = reasons()
    const { browser, advance } = await startOn(t, { setup }, { idleTimeout: 2 * DAY, absoluteTimeout: 10 * DAY })
    await browser.get('/write')
    const paths = ['/read', '/save', '/update', '/regenerate', '/write', '/nothing']
    for (let day = 1; day < 10; day++) {
      advance(DAY)
      await browser.get(paths[day % paths.length]!)
    }
    advance(DAY - 1)
    t.true((await browser.get('/read')).json.views >= 1)
    advance(1)
    t.deepEqual((await browser.get('/read')).json, {})
    t.true(gone.includes('absolute-timeout'))
    const { setCookies } = await browser.get('/write')
    t.is(setCookies.length, 1, 'and another session begins')
    t.deepEqual((await browser.get('/read')).json, { views: 1 })
  })

  test(`S5: ${name}: a login begins the absolute timeout anew.`, async t => {
    const { browser, advance } = await startOn(t, { setup }, { absoluteTimeout: 10 * DAY })
    await browser.get('/write')
    advance(9 * DAY)
    await browser.get('/login?user=ada')
    advance(9 * DAY)
    t.deepEqual((await browser.get('/read')).json, { views: 1, user: 'ada' })
    advance(DAY)
    t.deepEqual((await browser.get('/read')).json, {})
  })

  test(`S5: ${name}: nothing in the payload extends a session.`, async t => {
    const { browser, advance } = await startOn(
      t,
      { setup },
      {
        idleTimeout: DAY,
        handlers: {
          ...SESSION_HANDLERS,
          '/payload': ctx => {
            ctx.session.expires = ctx.session.expiresAt = ctx.session.created = Number.MAX_SAFE_INTEGER
            ctx.session.cookie = { maxAge: 1e15, expires: '9999-01-01' }
            return ''
          },
          '/reserved': async ctx => {
            for (const key of ['_created', '_expire', '_maxAge', '_session', 'maxAge']) {
              await t.throwsAsync(
                ctx.updateSession(draft => {
                  draft[key] = Number.MAX_SAFE_INTEGER
                }),
                { code: 'SESSION_DATA_INVALID' },
              )
            }
            return ''
          },
        },
      },
    )
    await browser.get('/payload')
    await browser.get('/reserved')
    advance(DAY)
    t.deepEqual((await browser.get('/read')).json, {})
  })
}

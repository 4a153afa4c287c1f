import { crc32 } from 'node:zlib'
import test from 'ava'
import { SessionDataInvalid } from '../../lib/errors.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { type Handler, live, login, recorded, startApp, WIDE_DEADLINE } from './app.ts'
import { bareSessions } from './bare.ts'
import { STORES } from './stores.ts'
import { RESERVED_NAMES, UNSTORABLE } from './unstorable.ts'

const read: Handler = ctx => ctx.session.toJSON()
const WRITES = ['create', 'replace', 'touch', 'destroy']

for (const [name, { setup }] of Object.entries(STORES)) {
  test(`S7: ${name}: reading a session, in whatever way, stores nothing and sends no cookie.`, async t => {
    const { open, now } = await setup(t)
    const store = recorded(await open())
    const ways: Record<string, Handler> = {
      '/property': ctx => `${ctx.session.views}`,
      '/json': read,
      '/length': ctx => `${ctx.session.length} ${ctx.session.populated} ${ctx.session.isNew}`,
      '/in': ctx => `${'views' in ctx.session} ${Object.keys(ctx.session)}`,
      '/undefined': ctx => {
        ctx.session.unknown = undefined
      },
      '/same': ctx => {
        const { views } = ctx.session
        ctx.session.views = views
      },
      '/back': ctx => {
        const { views } = ctx.session
        ctx.session.views = 100
        ctx.session.views = views
        if (views === undefined) delete ctx.session.views
      },
      '/commit': async ctx => {
        await ctx.session.manuallyCommit()
      },
      '/empty': ctx => {
        if (ctx.session.isNew) ctx.session = {}
      },
      '/nothing': () => '',
    }
    const app = await startApp(t, {
      store,
      now,
      deadline: WIDE_DEADLINE,
      handlers: {
        ...ways,
        '/write': ctx => {
          ctx.session.views = 1
        },
      },
    })
    const browser = app.browser()
    for (const round of ['without', 'with']) {
      for (const path of Object.keys(ways)) {
        t.deepEqual((await browser.get(path)).setCookies, [], `${path} ${round} a session`)
      }
      t.is(store.calls.filter(call => WRITES.includes(call)).length, round === 'without' ? 0 : 1, `${store.calls}`)
      await browser.get('/write')
    }
    t.deepEqual(app.errors, [])
  })

  test(`S7: ${name}: of a handler that fails nothing is stored but what was saved expressly, whose cookie survives; S8: its own error is told.`, async t => {
    const { open, now } = await setup(t)
    const working = await open()
    let broken = false
    const store = new Proxy(working, {
      get(target, call) {
        const value: unknown = Reflect.get(target, call)
        const isWrite = ['create', 'replace'].includes(String(call))
        return isWrite && broken ? () => Promise.reject(new Error('disk full')) : value
      },
    })
    const app = await startApp(t, {
      store,
      now,
      deadline: WIDE_DEADLINE,
      handlers: {
        '/read': read,
        '/throws': ctx => {
          ctx.session.thrown = 1
          ctx.throw(418, 'mine')
        },
        '/5xx': ctx => {
          ctx.session.answered = 1
          ctx.status = 502
          return 'bad gateway'
        },
        '/save-throws': async ctx => {
          ctx.session.saved = 1
          await ctx.session.save()
          ctx.session.lost = 1
          ctx.throw(418, 'mine')
        },
        '/save-fails-throws': async ctx => {
          ctx.session.tried = 1
          await ctx.session.save().catch(() => {})
          ctx.throw(418, 'mine')
        },
      },
    })
    const browser = app.browser()
    for (const round of ['without', 'with']) {
      for (const path of ['/throws', '/5xx']) {
        const answer = await browser.get(path)
        t.deepEqual([answer.status, answer.setCookies], [path === '/5xx' ? 502 : 418, []], `${path} ${round} a session`)
      }
      const answer = await browser.get('/save-throws')
      t.deepEqual([answer.status, answer.setCookies.length], [418, round === 'without' ? 1 : 0])
      t.deepEqual((await browser.get('/read')).json, { saved: 1 })
    }
    broken = true
    for (const one of [browser, app.browser()]) {
      const { status, text, setCookies } = await one.get('/save-fails-throws')
      t.deepEqual([status, text, setCookies], [418, 'mine', []])
    }
    broken = false
    t.deepEqual((await browser.get('/read')).json, { saved: 1 })
  })

  test(`S9: ${name}: every change is stored that is one, however deep or alike.`, async t => {
    const { open, now } = await setup(t)
    const states = [
      { a: 1 },
      { a: '1' },
      { a: [1] },
      { a: { 0: 1 } },
      { a: null },
      { a: false },
      { a: { b: { c: [1, 2, { d: 1 }] } } },
      { a: { b: { c: [1, 2, { d: 2 }] } } },
      { a: { x: 1, y: 2 } },
      { a: { y: 2, x: 1 } },
      { b: { y: 2, x: 1 } },
      { a: '\ud800', b: '\0' },
      {},
    ]
    let next: Record<string, unknown> = {}
    const app = await startApp(t, {
      store: await open(),
      now,
      deadline: WIDE_DEADLINE,
      handlers: {
        '/': ctx => {
          ctx.session = structuredClone(next)
        },
        '/read': ctx => JSON.stringify(sorted(ctx.session.toJSON())),
      },
    })
    const browser = app.browser()
    for (const state of states) {
      next = state
      await browser.get('/')
      t.is((await browser.get('/read')).text, JSON.stringify(sorted(state)))
    }
    t.deepEqual(app.errors, [])
  })
}

/** Keys in the order of the alphabet: theirs is no promise, that of objects in values is. */
function sorted(values: object): object {
  return Object.fromEntries(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** Two texts that make two sessions whose JSON has one CRC32. */
function colliding(): [string, string] {
  const seen = new Map<number, string>()
  for (let tries = 0; ; tries++) {
    const text = `${tries.toString(36)}${(tries * 7919).toString(36)}`
    const sum = crc32(JSON.stringify({ value: text }))
    const other = seen.get(sum)
    if (other !== undefined) return [other, text]
    seen.set(sum, text)
  }
}

const set: Handler = ctx => {
  ctx.session.value = ctx.query.value
}

test('S9: two values whose JSON has the same CRC32 are told apart and both stored.', async t => {
  const [one, other] = colliding()
  t.not(one, other)
  const browser = (await startApp(t, { handlers: { '/set': set, '/read': read } })).browser()
  for (const value of [one, other, one]) {
    await browser.get(`/set?value=${value}`)
    t.deepEqual((await browser.get('/read')).json, { value })
  }
})

test('S9: the control of that: koa-session alone loses the second one.', async t => {
  const [one, other] = colliding()
  const app = await startApp(t, { layers: [bareSessions()], handlers: { '/set': set, '/read': read } })
  const browser = app.browser()
  await browser.get(`/set?value=${one}`)
  await browser.get(`/set?value=${other}`)
  t.deepEqual((await browser.get('/read')).json, { value: one })
})

test('S9: a value that JSON would change or drop is a 500 that names it, and nothing is stored.', async t => {
  const store = recorded(memoryStore())
  let value: unknown
  const app = await startApp(t, {
    store,
    handlers: {
      '/fine': ctx => {
        ctx.session.fine = 1
      },
      '/': ctx => {
        ctx.session.fine = 2
        ctx.session.value = value
      },
      '/update': ctx =>
        ctx.updateSession(draft => {
          draft.value = value
        }),
      '/save': async ctx => {
        ctx.session.value = value
        await ctx.session.save()
      },
      '/login': async ctx => {
        ctx.session.value = value
        await live(ctx).logIn(login('ada'))
      },
      '/read': read,
    },
  })
  const known = app.browser()
  await known.get('/fine')
  store.calls.length = 0
  for (const [what, refused, place = 'value'] of UNSTORABLE) {
    value = refused
    for (const browser of [app.browser(), known]) {
      for (const path of ['/', '/update', '/save', '/login']) {
        app.errors.length = 0
        const answer = await browser.get(path)
        t.is(answer.status, 500, what)
        t.is(answer.text, 'Internal Server Error', 'and the client is not told')
        t.deepEqual(answer.setCookies, [])
        t.is(app.errors[0]?.code, 'SESSION_DATA_INVALID', what)
        t.true((app.errors[0] as SessionDataInvalid).key.startsWith(place), `${what}: ${app.errors[0]?.message}`)
      }
    }
  }
  t.deepEqual(
    store.calls.filter(call => call !== 'read'),
    [],
  )
  t.deepEqual((await known.get('/read')).json, { fine: 1 })
})

test('S9: a reserved name is a 500 that names it, and nothing is stored.', async t => {
  const store = recorded(memoryStore())
  let key = ''
  const app = await startApp(t, {
    store,
    handlers: {
      '/fine': ctx => {
        ctx.session.fine = 1
      },
      '/property': ctx => {
        // Assigning __proto__ sets the prototype, as the language has it.
        ctx.session[key] = key === '__proto__' ? { polluted: 1 } : 'x'
      },
      '/object': ctx => {
        ctx.session = Object.fromEntries([[key, 'x']])
      },
      '/update': ctx =>
        ctx.updateSession(draft => {
          Object.defineProperty(draft, key, { value: 'x', enumerable: true })
        }),
    },
  })
  const known = app.browser()
  await known.get('/fine')
  store.calls.length = 0
  for (key of RESERVED_NAMES) {
    for (const browser of [app.browser(), known]) {
      for (const path of ['/property', '/object', '/update']) {
        app.errors.length = 0
        t.is((await browser.get(path)).status, 500, `${path} ${key}`)
        const [error] = app.errors
        if (path === '/property' && ['length', 'populated', 'externalKey'].includes(key)) {
          t.regex(error!.message, new RegExp(`Cannot set property ${key} .* which has only a getter`))
        } else {
          t.is(error?.code, 'SESSION_DATA_INVALID', `${path} ${key}: ${error?.message}`)
          t.is((error as SessionDataInvalid).key, key === '_requireSave' && path === '/property' ? 'maxAge' : key)
        }
      }
    }
  }
  t.is(({} as { polluted?: number }).polluted, undefined)
  t.deepEqual(
    store.calls.filter(call => call !== 'read'),
    [],
  )
})

for (const [what, values] of Object.entries({
  text: 'x',
  'a number': 1,
  'a list': [],
  undefined: undefined,
  'a Map': new Map(),
  true: true,
})) {
  test(`S9: ctx.session cannot be set to ${what}.`, async t => {
    const app = await startApp(t, {
      handlers: {
        '/': ctx => {
          ctx.session = values as never
        },
      },
    })
    t.is((await app.browser().get('/')).status, 500)
    t.true(app.errors[0] instanceof SessionDataInvalid)
    t.regex(app.errors[0]!.message, /^ctx\.session can be set to a plain object, or to null/)
  })
}

test('S9: ctx.session.maxAge is refused with the options that say how long sessions last.', async t => {
  const app = await startApp(t, {
    handlers: {
      '/': ctx => {
        ctx.session.maxAge = 5
      },
    },
  })
  await app.browser().get('/')
  t.regex(app.errors[0]!.message, /ctx\.session\.maxAge .*idleTimeout and absoluteTimeout/)
})

test('Setting ctx.session to an object replaces all values, under the same cookie.', async t => {
  const handlers: Record<string, Handler> = {
    '/one': ctx => {
      ctx.session = { a: 1, b: 1 }
    },
    '/other': ctx => {
      ctx.session = { b: 2, c: 2 }
      return `${ctx.session.b} ${ctx.session.a}`
    },
    '/read': read,
  }
  const browser = (await startApp(t, { handlers })).browser()
  t.is((await browser.get('/one')).setCookies.length, 1)
  const answer = await browser.get('/other')
  t.is(answer.text, '2 undefined')
  t.deepEqual(answer.setCookies, [])
  t.deepEqual((await browser.get('/read')).json, { b: 2, c: 2 })
})

test('Setting ctx.session to null ends the session: the record, the cookie and the object.', async t => {
  const { open, now } = await STORES.memory!.setup(t)
  const handlers: Record<string, Handler> = {
    '/write': ctx => {
      ctx.session.a = 1
    },
    '/null': ctx => {
      ctx.session = null
      return { session: ctx.session }
    },
    '/read': read,
  }
  const browser = (await startApp(t, { store: await open(), now, handlers })).browser()
  t.deepEqual((await browser.get('/null')).setCookies, [], 'there was none to end')
  await browser.get('/write')
  const thief = browser.copy()
  const answer = await browser.get('/null')
  t.deepEqual(answer.json, { session: null })
  t.is(browser.cookie, '')
  t.deepEqual((await thief.get('/read')).json, {})
})

test('S1: null and then an object is another session, with another cookie, and the old one has ended.', async t => {
  const handlers: Record<string, Handler> = {
    '/write': ctx => {
      ctx.session.a = 1
    },
    '/anew': ctx => {
      ctx.session = null
      ctx.session = { b: 1 }
    },
    '/null-login': async ctx => {
      ctx.session = null
      await live(ctx).logIn(login('ada'))
      ctx.session.after = 1
    },
    '/null-update': async ctx => {
      ctx.session = null
      return {
        stored: await ctx.updateSession(draft => {
          draft.seen = { ...draft }
        }),
      }
    },
    '/read': read,
  }
  const app = await startApp(t, { handlers })
  for (const [path, values] of Object.entries({
    '/anew': { b: 1 },
    '/null-login': { after: 1 },
    '/null-update': { seen: {} },
  })) {
    const browser = app.browser()
    await browser.get('/write')
    const old = browser.copy()
    const { status, setCookies } = await browser.get(path)
    t.is(status < 500, true, `${path}: ${app.errors[0]?.stack}`)
    t.is(setCookies.length, 1, path)
    t.not(browser.cookie, old.cookie)
    t.deepEqual((await browser.get('/read')).json, values, path)
    t.deepEqual((await old.get('/read')).json, {}, path)
  }
})

test('A save() stores at once, in one step with what follows only where something follows.', async t => {
  const store = recorded(memoryStore())
  const handlers: Record<string, Handler> = {
    '/save': async ctx => {
      ctx.session.a = 1
      await ctx.session.save()
    },
    '/save-and-more': async ctx => {
      ctx.session.a = 2
      await ctx.session.save()
      ctx.session.b = 2
    },
    '/twice-at-once': async ctx => {
      ctx.session.c = 1
      const first = ctx.session.save()
      ctx.session.d = 1
      await Promise.all([first, ctx.session.save()])
    },
    '/read': read,
  }
  const app = await startApp(t, { store, handlers })
  const browser = app.browser()
  const writes = () => store.calls.splice(0).filter(call => WRITES.includes(call))
  await browser.get('/save')
  t.deepEqual(writes(), ['create'])
  await browser.get('/save-and-more')
  t.deepEqual(writes(), ['replace', 'replace'])
  t.deepEqual((await browser.get('/read')).json, { a: 2, b: 2 })
  writes()
  const answer = await app.browser().get('/twice-at-once')
  t.is(answer.setCookies.length, 1)
  t.deepEqual(writes(), ['create', 'replace'], 'two saves at once begin one session')
})

test('updateSession() works on the newest stored values, stores this request’s changes with it, and shows the result.', async t => {
  const slow = Promise.withResolvers<void>()
  const inside = Promise.withResolvers<void>()
  const seen: unknown[] = []
  const app = await startApp(t, {
    handlers: {
      '/start': ctx => {
        ctx.session.count = 1
        ctx.session.list = [1]
      },
      '/slow': async ctx => {
        ctx.session.mine = 'kept'
        inside.resolve()
        await slow.promise
        const { list } = ctx.session
        const done = await ctx.updateSession(draft => {
          seen.push(structuredClone(draft))
          draft.count++
          draft.gone = undefined
          delete draft.theirs
        })
        ctx.session.after = true
        return { done, session: ctx.session, sameList: ctx.session.list === list }
      },
      '/quick': ctx => {
        ctx.session.count = 10
        ctx.session.theirs = 1
        ctx.session.also = 1
      },
      '/read': read,
    },
  })
  const browser = app.browser()
  await browser.get('/start')
  const running = browser.get('/slow')
  await inside.promise
  await browser.get('/quick')
  slow.resolve()
  const { json } = await running
  // The draft of the last try: it holds what the other request stored and what this one had changed.
  t.deepEqual(seen.at(-1), { count: 10, list: [1], theirs: 1, also: 1, mine: 'kept' })
  t.true(json.done)
  t.true(json.sameList, 'values that nobody changed stay the objects they were')
  t.deepEqual(json.session, { count: 11, list: [1], also: 1, mine: 'kept', after: true })
  t.deepEqual((await browser.get('/read')).json, { count: 11, list: [1], also: 1, mine: 'kept', after: true })
})

test('updateSession() refuses a change that is async, stores nothing of it, and waits for nobody.', async t => {
  const app = await startApp(t, {
    handlers: {
      '/start': ctx => {
        ctx.session.n = 1
      },
      '/async': ctx =>
        ctx.updateSession((async (draft: { n: number }) => {
          draft.n = 2
          await ctx.updateSession(inner => {
            inner.n = 3
          })
          throw new Error('nobody waits for this')
        }) as never),
      '/read': read,
    },
  })
  const browser = app.browser()
  await browser.get('/start')
  t.is((await browser.get('/async')).status, 500)
  t.like(app.errors[0], { code: 'OPTION_INVALID', option: 'change' })
  t.is((await browser.get('/read')).status, 200)
})

test('updateSession() with a change that throws stores nothing, hands on the error, and leaves the session to be used.', async t => {
  const app = await startApp(t, {
    handlers: {
      '/': async ctx => {
        ctx.session.a = 1
        await t.throwsAsync(
          ctx.updateSession(draft => {
            draft.lost = 1
            throw new Error('of the change')
          }),
          { message: 'of the change' },
        )
        t.true(
          await ctx.updateSession(draft => {
            draft.kept = 1
          }),
        )
      },
      '/read': read,
    },
  })
  const browser = app.browser()
  await browser.get('/')
  t.deepEqual((await browser.get('/read')).json, { a: 1, kept: 1 })
})

test('updateSession() says false where the session has ended meanwhile, and nothing is stored.', async t => {
  const slow = Promise.withResolvers<void>()
  const inside = Promise.withResolvers<void>()
  const app = await startApp(t, {
    handlers: {
      '/start': ctx => {
        ctx.session.a = 1
      },
      '/slow': async ctx => {
        ctx.session.b = 1
        inside.resolve()
        await slow.promise
        return {
          done: await ctx.updateSession(draft => {
            draft.c = 1
          }),
        }
      },
      '/end': ctx => {
        ctx.session = null
      },
      '/read': read,
    },
  })
  const browser = app.browser()
  await browser.get('/start')
  const old = browser.copy()
  const running = old.get('/slow')
  await inside.promise
  await browser.get('/end')
  slow.resolve()
  const answer = await running
  t.deepEqual(answer.json, { done: false })
  t.deepEqual(answer.setCookies, [])
  t.deepEqual((await old.get('/read')).json, {})
})

test('What changes while a save is under way is stored by the next one, and not undone by the first.', async t => {
  const base = memoryStore()
  const reached = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  let held = false
  const app = await startApp(t, {
    store: {
      ...base,
      async replace(id, version, record) {
        if (held) {
          held = false
          reached.resolve()
          await release.promise
        }
        return base.replace(id, version, record)
      },
    },
    deadline: 60_000,
    handlers: {
      '/start': ctx => {
        ctx.session.a = 1
      },
      '/': async ctx => {
        ctx.session.a = 2
        held = true
        const saving = ctx.session.save()
        await reached.promise
        ctx.session.a = 3
        ctx.session.b = 3
        release.resolve()
        await saving
        return { ...ctx.session.toJSON() }
      },
      '/read': read,
    },
  })
  const browser = app.browser()
  await browser.get('/start')
  t.deepEqual((await browser.get('/')).json, { a: 3, b: 3 })
  t.deepEqual((await browser.get('/read')).json, { a: 3, b: 3 })
})

test('What the handler sets while updateSession() is under way stands over what the change made of the same key.', async t => {
  const app = await startApp(t, {
    handlers: {
      '/': async ctx => {
        ctx.session.a = 'before'
        await ctx.updateSession(draft => {
          draft.a = 'of the change'
          draft.b = 'of the change'
          ctx.session.a = 'meanwhile'
        })
        return ctx.session.toJSON()
      },
      '/read': read,
    },
  })
  const browser = app.browser()
  t.deepEqual((await browser.get('/')).json, { a: 'meanwhile', b: 'of the change' })
  t.deepEqual((await browser.get('/read')).json, { a: 'meanwhile', b: 'of the change' })
})

test('S8: a save that fails is the answer of a handler that succeeded, and never hides the error of one that did not.', async t => {
  const failing = { ...memoryStore(), create: () => Promise.reject(new Error('disk full')) }
  const app = await startApp(t, {
    store: failing,
    handlers: {
      '/fine': ctx => {
        ctx.session.a = 1
        return 'fine'
      },
      '/throws': ctx => {
        ctx.session.a = 1
        ctx.throw(418, 'mine')
      },
      '/save-throws': async ctx => {
        ctx.session.a = 1
        await ctx.session.save().catch(() => {})
        ctx.throw(418, 'mine')
      },
    },
  })
  const failed = await app.browser().get('/fine')
  t.is(failed.status, 503)
  t.is(failed.headers['retry-after'], '2')
  t.deepEqual(failed.setCookies, [])
  for (const path of ['/throws', '/save-throws']) {
    const answer = await app.browser().get(path)
    t.is(answer.status, 418)
    t.is(answer.text, 'mine')
    t.deepEqual(answer.setCookies, [])
  }
})

test('A session whose login has just been found void shows nothing, and stores nothing until somebody logs in.', async t => {
  const app = await startApp(t, {
    handlers: {
      '/login': async ctx => {
        ctx.session.secret = 1
        await live(ctx).logIn(login('ada'))
      },
      '/expel': async ctx => {
        await live(ctx).expel()
        t.is(live(ctx).login, null)
        ctx.session.new = 1
        return ctx.session.toJSON()
      },
      '/expel-login': async ctx => {
        await live(ctx).expel()
        await live(ctx).logIn(login('bob'))
      },
      '/read': ctx => ({ ...ctx.session.toJSON(), user: live(ctx).login?.id }),
    },
  })
  const browser = app.browser()
  await browser.get('/login')
  const answer = await browser.get('/expel')
  t.deepEqual(answer.json, { new: 1 })
  t.deepEqual(answer.setCookies, [])
  t.deepEqual((await browser.get('/read')).json, {})
  await browser.get('/login')
  await browser.get('/expel-login')
  t.deepEqual((await browser.get('/read')).json, { user: 'bob' })
})

test('A request that was set aside stores nothing in the session, unless somebody logs in.', async t => {
  const store = recorded(memoryStore())
  const app = await startApp(t, {
    store,
    handlers: {
      '/aside': async ctx => {
        live(ctx).setAside()
        ctx.session.a = 1
        await ctx.session.save()
        return {
          done: await ctx.updateSession(draft => {
            draft.b = 1
          }),
        }
      },
      '/aside-login': async ctx => {
        live(ctx).setAside()
        ctx.session.a = 1
        await live(ctx).logIn(login('ada'))
      },
      '/read': read,
    },
  })
  const browser = app.browser()
  const answer = await browser.get('/aside')
  t.deepEqual(answer.json, { done: false })
  t.deepEqual(answer.setCookies, [])
  t.deepEqual(store.calls, [])
  await browser.get('/aside-login')
  t.deepEqual((await browser.get('/read')).json, { a: 1 })
})

test('S9: a login whose snapshot JSON would change is refused before anything is stored.', async t => {
  const store = recorded(memoryStore())
  const app = await startApp(t, {
    store,
    handlers: {
      '/': async ctx => {
        await live(ctx).logIn({ ...login('ada'), snapshot: { attributes: { born: new Date(0) } } })
      },
    },
  })
  t.is((await app.browser().get('/')).status, 500)
  t.is((app.errors[0] as SessionDataInvalid).key, 'login.attributes.born')
  t.deepEqual(store.calls, [])
})

test('What concurrent requests store together is refused where it is too much, and the session can still be read and used.', async t => {
  let begun = 0
  const all = Promise.withResolvers<void>()
  const app = await startApp(t, {
    handlers: {
      '/start': ctx => {
        ctx.session.a = 1
        return ''
      },
      '/big': async ctx => {
        ctx.session[String(ctx.query.key)] = 'x'.repeat(200 * 1024)
        if (++begun === 3) all.resolve()
        await all.promise
        return ''
      },
      '/more': ctx => {
        ctx.session.more = 'x'.repeat(100 * 1024)
      },
      '/login': async ctx => {
        await live(ctx).logIn(login('ada'))
        return ''
      },
      '/read': ctx => Object.keys(ctx.session.toJSON()),
    },
  })
  const browser = app.browser()
  await browser.get('/start')
  const answers = await Promise.all(['x', 'y', 'z'].map(key => browser.get(`/big?key=${key}`)))
  t.deepEqual(answers.map(({ status }) => status).sort(), [200, 500, 500])
  t.is((await browser.get('/more')).status, 500)
  t.true(app.errors.every(({ code }) => code === 'SESSION_DATA_INVALID'))
  t.is((await browser.get('/read')).json.length, 2)
  t.is((await browser.get('/login')).status, 200)
  t.is((await browser.get('/read')).json.length, 2)
})

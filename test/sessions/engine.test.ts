import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import test from 'ava'
import { isReservedKey } from '../../lib/sessions/data.ts'
import { createEngine, type EngineClient, type Session } from '../../lib/sessions/engine.ts'
import type { SessionData } from '../../lib/sessions/store.ts'

function client(values: SessionData | null): EngineClient & { calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    load: async () => values,
    store: async how => {
      calls.push(how)
    },
    end: async () => {
      calls.push('end')
    },
  }
}

async function sessionOf(values: SessionData | null): Promise<Session> {
  let session: Session | null = null
  await createEngine()(client(values), async hold => {
    session = hold.session
  })
  return session!
}

// When this fails after an upgrade: a name that koa-session has got must be reserved in data.ts, or values would shadow it.
test('S9: the names of koa-session’s object are these, and each is reserved.', async t => {
  const session = await sessionOf(null)
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(session)).sort()
  t.deepEqual(names, [
    'commit',
    'constructor',
    'externalKey',
    'length',
    'manuallyCommit',
    'maxAge',
    'populated',
    'regenerate',
    'save',
    'toJSON',
  ])
  t.deepEqual(Object.keys(session).sort(), ['_expire', '_requireSave', 'isNew'])
  t.is(Object.getPrototypeOf(Object.getPrototypeOf(session)), Object.prototype)
  for (const name of [...names, ...Object.keys(session), ...Object.getOwnPropertyNames(Object.prototype)]) {
    t.true(isReservedKey(name), name)
  }
})

test('The engine is the exact version that package.json names.', async t => {
  const wanted = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  const installed = createRequire(import.meta.url)('koa-session/package.json')
  t.regex(wanted.dependencies['koa-session'], /^\d+\.\d+\.\d+$/)
  t.is(installed.version, wanted.dependencies['koa-session'])
})

test('What is loaded are the session’s properties, and a session without any is new.', async t => {
  const session = await sessionOf({ a: 1, b: { c: 2 } })
  t.deepEqual(session.toJSON(), { a: 1, b: { c: 2 } })
  t.false(session.isNew)
  t.is(session.length, 2)
  t.true(session.populated)
  const fresh = await sessionOf(null)
  t.true(fresh.isNew)
  t.false(fresh.populated)
})

test('save() stores and regenerate() renews, each once; nothing is stored by itself.', async t => {
  const one = client({ a: 1 })
  await createEngine()(one, async hold => {
    hold.session!.a = 2
  })
  t.deepEqual(one.calls, [])
  await createEngine()(one, async hold => {
    await hold.session!.save()
    await hold.session!.regenerate()
    await hold.session!.save()
  })
  t.deepEqual(one.calls, ['save', 'renew', 'save'])
})

test('manuallyCommit() asks to store what has changed, if anything has; of an empty new session there is nothing to ask.', async t => {
  for (const [values, calls] of [
    [{ a: 1 }, ['if changed']],
    [null, []],
  ] as const) {
    const one = client(values)
    await createEngine()(one, async hold => {
      await hold.session!.manuallyCommit()
    })
    t.deepEqual(one.calls, calls)
  }
})

test('A session that was set to null is ended by its own save().', async t => {
  const one = client({ a: 1 })
  await createEngine()(one, async hold => {
    const session = hold.session!
    hold.session = null
    t.is(hold.session, null)
    await session.save()
  })
  t.deepEqual(one.calls, ['end'])
})

test('A failure of the store reaches whoever saves.', async t => {
  const failing = { ...client(null), store: () => Promise.reject(new Error('disk full')) }
  await createEngine()(failing, async hold => {
    await t.throwsAsync(hold.session!.save(), { message: 'disk full' })
    await t.throwsAsync(hold.session!.regenerate(), { message: 'disk full' })
  })
})

test('The session knows no id: what it prints cannot be replayed.', async t => {
  t.regex(String((await sessionOf({ a: 1 })).externalKey), /^(request|new)$/)
})

test('Several engines, and several requests of one, are independent.', async t => {
  const start = createEngine()
  const seen: unknown[] = []
  await start(client({ who: 'outer' }), async outer => {
    await createEngine()(client({ who: 'inner' }), async inner => {
      await start(client({ who: 'other' }), async other => {
        seen.push(outer.session!.who, inner.session!.who, other.session!.who)
      })
    })
  })
  t.deepEqual(seen, ['outer', 'inner', 'other'])
})

import { inspect } from 'node:util'
import test from 'ava'
import { OptionInvalid } from '../../lib/errors.ts'
import { sessions } from '../../lib/sessions/layer.ts'
import { cookieStore } from '../../lib/sessions/stores/cookie.ts'
import { memoryStore } from '../../lib/sessions/stores/memory.ts'
import { KEY } from './app.ts'

const wrong: [unknown, string][] = [
  [null, 'options'],
  ['x', 'options'],
  [[], 'options'],
  [{ stroe: memoryStore() }, 'stroe'],
  [{ maxAge: 5 }, 'maxAge'],
  [{ store: null }, 'store'],
  [{ store: {} }, 'store'],
  [{ store: 'memory' }, 'store'],
  [{ store: new Map() }, 'store'],
  [{ store: { ...memoryStore(), replace: undefined } }, 'store'],
  [{ store: memoryStore }, 'store'],
  [{ store: cookieStore }, 'store'],
  [{ keys: null }, 'keys'],
  [{ keys: [] }, 'keys'],
  [{ keys: 'x'.repeat(40) }, 'keys'],
  [{ keys: ['short'] }, 'keys[0]'],
  [{ idleTimeout: 0 }, 'idleTimeout'],
  [{ idleTimeout: -1 }, 'idleTimeout'],
  [{ idleTimeout: 999 }, 'idleTimeout'],
  [{ idleTimeout: 1000.5 }, 'idleTimeout'],
  [{ idleTimeout: '1 day' }, 'idleTimeout'],
  [{ idleTimeout: Number.POSITIVE_INFINITY }, 'idleTimeout'],
  [{ idleTimeout: Number.NaN }, 'idleTimeout'],
  [{ idleTimeout: null }, 'idleTimeout'],
  [{ idleTimeout: 5000n }, 'idleTimeout'],
  [{ absoluteTimeout: 0 }, 'absoluteTimeout'],
  [{ absoluteTimeout: '30d' }, 'absoluteTimeout'],
  [{ absoluteTimeout: 2 ** 53 }, 'absoluteTimeout'],
  [{ deadline: 0 }, 'deadline'],
  [{ deadline: false }, 'deadline'],
  [{ deadline: 2 ** 31 }, 'deadline'],
  [{ onUnavailable: 'ignore' }, 'onUnavailable'],
  [{ onUnavailable: true }, 'onUnavailable'],
  [{ now: 5 }, 'now'],
  [{ now: new Date() }, 'now'],
  [{ cookie: null }, 'options'],
  [{ cookie: 'sid' }, 'options'],
  [{ cookie: { httpOnly: false } }, 'httpOnly'],
  [{ cookie: { maxAge: 5 } }, 'maxAge'],
]

for (const [options, option] of wrong) {
  const shown = inspect(options, { breakLength: Number.POSITIVE_INFINITY, depth: 1 }).slice(0, 60)
  test(`sessions(${shown}) is an error that names '${option}'.`, t => {
    const error = t.throws(() => sessions(options as object), { instanceOf: OptionInvalid })
    t.is(error.option, option)
    t.is(error.code, 'OPTION_INVALID')
    t.true(error.message.includes(`option '${option}'`))
    t.false(error.message.includes('short'))
  })
}

test('Options that are right are taken, and the object they came in is left alone.', t => {
  const options = Object.freeze({
    store: memoryStore(),
    keys: Object.freeze([KEY]),
    cookie: Object.freeze({ name: 'id', path: '/', secure: false, sameSite: 'strict' as const }),
    idleTimeout: 60_000,
    absoluteTimeout: 120_000,
    deadline: 100,
    onUnavailable: 'anonymous' as const,
    now: Date.now,
  })
  t.notThrows(() => sessions(options))
  t.notThrows(() => sessions())
  t.notThrows(() => sessions({ store: undefined, keys: undefined, cookie: undefined, idleTimeout: undefined }))
  t.notThrows(() => sessions({ deadline: 2 ** 31 - 1 }))
})

test.serial('The memory store that stands in for none says in production that it is for one process.', async t => {
  const before = process.env.NODE_ENV
  const warning = new Promise<Error & { code?: string }>(resolve => process.once('warning', resolve))
  try {
    process.env.NODE_ENV = 'production'
    sessions({ keys: [KEY] })
  } finally {
    process.env.NODE_ENV = before
  }
  t.is((await warning).code, 'KOA_STRATA_MEMORY_STORE')
})

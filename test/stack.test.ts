import test from 'ava'
import Koa, { type Middleware } from 'koa'
import { OptionInvalid, profiles, requireProfile, sessions, stack, users } from 'koa-strata'
import { KEY, startApp } from './sessions/app.ts'
import { directory } from './users/app.ts'

function noting(name: string, order: string[]): Middleware {
  return async (_ctx, next) => {
    order.push(`>${name}`)
    await next()
    order.push(`<${name}`)
  }
}

test('The layers of a stack run in their order, around what comes behind it.', async t => {
  const order: string[] = []
  const layers = [stack(noting('a', order), stack(noting('b', order), noting('c', order))), noting('d', order)]
  const app = await startApp(t, {
    layers,
    handlers: {
      '/': () => {
        order.push('handler')
        return 'done'
      },
    },
  })
  t.is((await app.browser().get('/')).text, 'done')
  t.deepEqual(order, ['>a', '>b', '>c', '>d', 'handler', '<d', '<c', '<b', '<a'])
})

test('A layer that does not go on answers, and what is behind it does not run.', async t => {
  const app = await startApp(t, {
    layers: [
      stack(
        async ctx => {
          ctx.body = 'stopped'
        },
        async () => t.fail(),
      ),
    ] as Middleware[],
  })
  t.is((await app.browser().get('/')).text, 'stopped')
})

test('An error of a layer or handler passes through the stack as it is.', async t => {
  const thrown = new Error('of the handler')
  const seen: unknown[] = []
  const app = await startApp(t, {
    layers: [
      stack(
        async (_ctx, next) => {
          try {
            await next()
          } catch (error) {
            seen.push(error)
            throw error
          }
        },
        async (_ctx, next) => next(),
      ),
    ] as Middleware[],
    handlers: {
      '/': () => {
        throw thrown
      },
    },
  })
  t.is((await app.browser().get('/')).status, 500)
  t.deepEqual(seen, [thrown])
})

test('An empty stack goes on.', async t => {
  const app = await startApp(t, { layers: [stack()] as Middleware[], handlers: { '/': () => 'done' } })
  t.is((await app.browser().get('/')).text, 'done')
})

for (const wrong of [undefined, null, 'sessions', {}, 5, [sessions]]) {
  test(`What is no middleware, as ${JSON.stringify(wrong) ?? 'undefined'}, is an OptionInvalid that names its place.`, t => {
    const error = t.throws(() => stack(sessions({ keys: [KEY] }), wrong as never), { instanceOf: OptionInvalid })
    t.is(error.where, 'stack()')
    t.is(error.option, 'layers[1]')
  })
}

const LAYERS = {
  sessions: () => sessions({ keys: [KEY] }),
  users: () => users({ backends: [directory('local', {})] }),
  profiles: () => profiles({ employer: { find: async () => null } }),
  requireProfile: () => requireProfile('employer'),
}
type Name = keyof typeof LAYERS

const WRONG: [order: Name[], message: string][] = [
  [
    ['users'],
    'users() needs ctx.session. Add app.use(sessions(…)) before it, or put sessions(…) before it in stack().',
  ],
  [
    ['users', 'sessions', 'profiles'],
    'users() needs ctx.session. Add app.use(sessions(…)) before it, or put sessions(…) before it in stack().',
  ],
  [
    ['profiles'],
    'profiles() needs ctx.state.user. Add app.use(users(…)) before it, or put users(…) before it in stack().',
  ],
  [
    ['sessions', 'profiles', 'users'],
    'profiles() needs ctx.state.user. Add app.use(users(…)) before it, or put users(…) before it in stack().',
  ],
  [
    ['sessions', 'requireProfile', 'users', 'profiles'],
    'requireProfile() needs ctx.state.user. Add app.use(users(…)) before it, or put users(…) before it in stack().',
  ],
  [
    ['sessions', 'users', 'requireProfile', 'profiles'],
    'requireProfile() needs ctx.state.user.profile. Add app.use(profiles(…)) before it, or put profiles(…) before it in stack().',
  ],
]

for (const [order, message] of WRONG) {
  for (const how of ['in a stack', 'one by one']) {
    test(`The order ${order.join(', ')}, ${how}, is told at the first request with the line to add.`, async t => {
      const made = order.map(name => LAYERS[name]()) as Middleware[]
      const layers = how === 'in a stack' ? ([stack(...(made as never[]))] as unknown as Middleware[]) : made
      const app = await startApp(t, { layers })
      const answer = await app.browser().get('/')
      t.is(answer.status, 500)
      t.is(answer.text, 'Internal Server Error')
      t.is(app.errors[0]!.code, 'LAYER_MISSING')
      t.is(app.errors[0]!.message, message)
    })
  }
}

test('One stack serves several apps, each with its own requests.', async t => {
  const identity = stack(LAYERS.sessions(), LAYERS.users(), LAYERS.profiles())
  for (let count = 0; count < 2; count++) {
    const app = await startApp(t, {
      layers: [identity] as unknown as Middleware[],
      handlers: { '/': ctx => ({ anonymous: ctx.state.user.isAnonymous, profile: ctx.state.user.profile }) },
    })
    t.deepEqual((await app.browser().get('/')).json, { anonymous: true, profile: null })
  }
  t.notThrows(() => new Koa().use(identity))
})

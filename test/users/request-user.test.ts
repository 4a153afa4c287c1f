import test from 'ava'
import type { ParameterizedContext } from 'koa'
import { AnonymousUser, LayerMissing } from 'koa-strata'
import { exposeUser, RequestUser, requestUserOf } from '../../lib/users/request-user.ts'
import { userOf } from './app.ts'

function context(): ParameterizedContext {
  return { state: {} } as ParameterizedContext
}

test('Whoever becomes the user is enriched by all that stand above, in their order.', async t => {
  const current = new RequestUser(new AnonymousUser())
  await current.enrichWith(async user => Object.assign(Object.create(user), { seen: `1${user.key}` }))
  await current.enrichWith(async user => Object.assign(Object.create(user), { seen: `${Reflect.get(user, 'seen')}2` }))
  t.is(Reflect.get(current.user, 'seen'), '12')
  await current.become(userOf('local', 'alice'))
  t.is(Reflect.get(current.user, 'seen'), '1local:alice2')
})

test('The user stays who they were where an enrichment fails.', async t => {
  const before = new AnonymousUser()
  const current = new RequestUser(before)
  let broken = false
  await current.enrichWith(async user => {
    if (broken) throw new Error('broken')
    return user
  })
  broken = true
  await t.throwsAsync(current.become(userOf('local', 'alice')), { message: 'broken' })
  t.is(current.user, before)
})

test('An enrichment that fails at first is not asked again.', async t => {
  const current = new RequestUser(new AnonymousUser())
  await t.throwsAsync(current.enrichWith(async () => Promise.reject(new Error('broken'))))
  await t.notThrowsAsync(current.become(userOf('local', 'alice')))
})

test('What is known of the user is asked again, of all that stand above; where one fails it stays as it was.', async t => {
  const current = new RequestUser(userOf('local', 'alice'))
  let round = 0
  let broken = false
  await current.enrichWith(async user => Object.assign(Object.create(user), { round: ++round }))
  await current.enrichWith(async user => {
    if (broken) throw new Error('broken')
    return Object.assign(Object.create(user), { twice: Reflect.get(user, 'round') * 2 })
  })
  await current.enrichAgain()
  const { user } = current
  t.deepEqual([user.key, Reflect.get(user, 'round'), Reflect.get(user, 'twice')], ['local:alice', 2, 4])
  t.is(Object.getPrototypeOf(Object.getPrototypeOf(user)).key, 'local:alice', 'and not of what was known before')
  broken = true
  await t.throwsAsync(current.enrichAgain(), { message: 'broken' })
  t.is(current.user, user)
})

test('Whoever becomes the user while that is asked again stays the user.', async t => {
  const current = new RequestUser(userOf('local', 'alice'))
  let answered = Promise.resolve()
  await current.enrichWith(async user => {
    await answered
    return user
  })
  const late = Promise.withResolvers<void>()
  answered = late.promise
  const again = current.enrichAgain()
  answered = Promise.resolve()
  await current.become(userOf('local', 'bob'))
  late.resolve()
  await again
  t.is(current.user.key, 'local:bob')
})

test('A request without users() is told of by the name of who needs them.', t => {
  t.throws(() => requestUserOf({}, 'profiles()'), {
    instanceOf: LayerMissing,
    message: 'profiles() needs ctx.state.user. Add app.use(users(…)) before it, or put users(…) before it in stack().',
  })
})

test('A request has the user it was given, each read is told, and it goes on having it when the layer is done.', t => {
  const ctx = context()
  const alice = new RequestUser(userOf('local', 'alice'))
  let reads = 0
  const restore = exposeUser(ctx, alice, () => reads++, { login: 1 })
  t.is(reads, 0)
  t.is(ctx.state.user.key, 'local:alice')
  t.is(reads, 1)
  t.is(requestUserOf(ctx, 'test'), alice)
  t.is(reads, 1)
  restore()
  t.is(ctx.state.user.key, 'local:alice')
  t.is(ctx.login, 1)
})

test('An inner layer hides the outer one, and gives the request back to it.', t => {
  const ctx = context()
  const alice = new RequestUser(userOf('local', 'alice'))
  const bob = new RequestUser(userOf('local', 'bob'))
  exposeUser(ctx, alice, () => {}, { login: 'outer' })
  const restore = exposeUser(ctx, bob, () => {}, { login: 'inner' })
  t.deepEqual([ctx.state.user.key, ctx.login], ['local:bob', 'inner'])
  restore()
  t.deepEqual([ctx.state.user.key, ctx.login], ['local:alice', 'outer'])
  t.is(requestUserOf(ctx, 'test'), alice)
})

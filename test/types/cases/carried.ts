/** A stack's type carries what its layers add to `ctx.state` and to `ctx`, for a router behind it. */
import Router from '@koa/router'
import Koa from 'koa'
import {
  type AnonymousUser,
  type AuthenticatedUser,
  type ContextOf,
  detachedUsers,
  type StateOf,
  sessions,
  stack,
  users,
} from 'koa-strata'

const backends = [detachedUsers({ name: 'ldap', authenticate: async () => null })]
const identity = stack(
  sessions(),
  async (_ctx, next) => next(),
  users({ backends }),
  async (_ctx, next) => next(),
)

export const app = new Koa().use(identity)
export const layerByLayer = new Koa().use(sessions()).use(users({ backends }))

const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()

router.get('/', async ctx => {
  const user: AnonymousUser | AuthenticatedUser = ctx.state.user
  ctx.session.views = (ctx.session.views ?? 0) + 1
  const stored: boolean = await ctx.updateSession(draft => {
    draft.views += 1
  })
  ctx.body = { user, stored }

  const name: string = user.username
  // error: TS2322: Type 'string' is not assignable to type 'number'.
  const id: number = user.id

  if (user.isAuthenticated) await ctx.login(user)
  // error: TS2741: Property 'stamp' is missing in type 'AnonymousUser' but required in type 'AuthenticatedUser'.
  if (user.isAnonymous) await ctx.login(user)
  // error: TS2345: Argument of type 'string' is not assignable to parameter of type 'AuthenticatedUser'.
  await ctx.login(name)

  const found = await ctx.authenticate({ username: name, password: '' })
  // error: TS18047: 'found' is possibly 'null'.
  found.username
  ctx.session = null
  // error: TS2322: Type 'string' is not assignable to type 'SessionData'.
  ctx.session = 'nothing'
  ctx.body = id
})

// A layer alone carries what it adds, and no more.
const alone = new Router<StateOf<ReturnType<typeof sessions>>, ContextOf<ReturnType<typeof sessions>>>()
alone.get('/', async ctx => {
  ctx.session.views = 1
  // error: TS2322: Type '(change: SessionChange) => Promise<boolean>' is not assignable to type 'number'.
  const update: number = ctx.updateSession
  ctx.body = update
})

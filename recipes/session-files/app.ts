import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa, { type ParameterizedContext } from 'koa'
import {
  type ContextOf,
  detachedUsers,
  requireLogin,
  type SigningKey,
  type StateOf,
  sameOrigin,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { fileStore } from 'koa-strata/stores/file'
import { countingPage } from './page.ts'

/** What each process of the app is made of: the same for all of them. */
export interface AppOptions {
  /** Where the sessions are, on a disk of this machine. It is made where there is none. */
  directory: string
  /** Keys of 32 bytes or more that sign the session cookie: the first signs, all verify. */
  keys: readonly SigningKey[]
  /** How long a call of the store may take before it is 503, in milliseconds: more where the disk has much else to do. @default 500 */
  deadline?: number
}

/** Who can log in, with their passwords: stands for whatever knows your users. */
export const people: ReadonlyMap<string, string> = new Map([
  ['ada', 'ada-demo'],
  ['grace', 'grace-demo'],
])

/** One process of an app whose sessions are files: log in, count, log out. */
export function createApp({ directory, keys, deadline }: AppOptions): Koa {
  const known = detachedUsers({
    name: 'people',
    authenticate: async ({ username = '', password }) => (people.get(username) === password ? { id: username } : null),
  })
  const identity = stack(sessions({ store: fileStore(directory), keys, deadline }), users({ backends: [known] }))
  const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()

  router.get('/', ctx => {
    const { user } = ctx.state
    ctx.type = 'html'
    ctx.body = countingPage(
      user.isAuthenticated ? { name: user.username, count: Number(ctx.session.count ?? 0) } : null,
    )
  })
  router.post('/login', async ctx => {
    const user = await ctx.authenticate(ctx.request.body ?? {})
    if (!user) return ctx.throw(401, 'Nobody has this name and password.')
    await ctx.login(user)
    backToStart(ctx)
  })
  router.post('/count', requireLogin(), async ctx => {
    // In one step, whichever processes count at the same time.
    await ctx.updateSession(session => {
      session.count = (session.count ?? 0) + 1
    })
    backToStart(ctx)
  })
  router.post('/logout', async ctx => {
    await ctx.logout()
    backToStart(ctx)
  })

  const app = new Koa()
  app.use(sameOrigin()).use(bodyParser()).use(identity).use(router.routes())
  return app
}

function backToStart(ctx: ParameterizedContext): void {
  ctx.status = 303
  ctx.redirect('/')
}

import type { Handler } from './app.ts'

/** Handlers that stop halfway, and then write to the session in each way that there is: '/slow/…'. @param stop resolves when the request may go on */
export function slowWrites(stop: (ctx: Parameters<Handler>[0]) => Promise<void>): Record<string, Handler> {
  return {
    '/slow/property': async ctx => {
      const { mark } = ctx.session
      await stop(ctx)
      ctx.session.mark = `${mark}, written`
      return ''
    },
    '/slow/replace': async ctx => {
      await stop(ctx)
      ctx.session = { mark: 'written' }
      return ''
    },
    '/slow/save': async ctx => {
      await stop(ctx)
      ctx.session.mark = 'written'
      await ctx.session.save()
      return ''
    },
    '/slow/update': async ctx => {
      await stop(ctx)
      await ctx.updateSession(draft => {
        draft.mark = 'written'
      })
      return ''
    },
    '/slow/regenerate': async ctx => {
      ctx.session.mark = 'written'
      await stop(ctx)
      await ctx.session.regenerate()
      return ''
    },
    '/slow/read': async ctx => {
      await stop(ctx)
      return String(ctx.session.mark)
    },
  }
}

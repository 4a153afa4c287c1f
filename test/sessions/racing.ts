import { type Gate, gate, type Handler, LOGINS, live } from './app.ts'
import { slowWrites } from './slow-writes.ts'

/** How many races run at once. */
export const BATCH = 20

const gates = new Map<string, Gate>()

/** Stops the request that names a gate, once it has got so far. */
async function stop(ctx: Parameters<Handler>[0]): Promise<void> {
  await gates.get(String(ctx.query.gate))?.pass()
}

export function newGate(): { name: string } & Gate {
  const name = String(gates.size)
  const made = gate()
  gates.set(name, made)
  return { name, ...made }
}

export const RACING: Record<string, Handler> = {
  ...LOGINS,
  '/start': ctx => {
    ctx.session.mark = 'old'
    return ''
  },
  ...slowWrites(stop),
  '/set': ctx => {
    ctx.session[String(ctx.query.key)] = ctx.query.key
    return ''
  },
  '/set-slowly': async ctx => {
    ctx.session[String(ctx.query.key)] = ctx.query.key
    await stop(ctx)
    return ''
  },
  '/count': async ctx => {
    await ctx.updateSession(draft => {
      draft.count = (draft.count ?? 0) + 1
    })
    return ''
  },
  '/me': ctx => ({ ...ctx.session.toJSON(), user: live(ctx).login?.id }),
  '/values': ctx => ctx.session.toJSON(),
}

export async function batches(count: number, run: (index: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => run(first + index)))
  }
}

/** The same handlers without what koa-session does not have. */
export const BARE_RACING: Record<string, Handler> = {
  '/start': RACING['/start']!,
  '/null': RACING['/null']!,
  '/slow': RACING['/slow/property']!,
  '/set-slowly': RACING['/set-slowly']!,
  '/values': RACING['/values']!,
}

import { subscribe } from 'node:diagnostics_channel'
import type { ExecutionContext } from 'ava'
import {
  type AppOptions,
  type Browser,
  type Handler,
  LOGINS,
  live,
  recorded,
  startApp,
  type TestApp,
  WIDE_DEADLINE,
} from './app.ts'
import type { StoreCase } from './stores.ts'

/** What a session can be asked for: reading, and every way to write. */
export const SESSION_HANDLERS: Readonly<Record<string, Handler>> = {
  ...LOGINS,
  '/nothing': () => 'nothing',
  '/write': ctx => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
    return ''
  },
  '/save': async ctx => {
    await ctx.session.save()
    return ''
  },
  '/update': async ctx => {
    await ctx.updateSession(() => {})
    return ''
  },
  '/read': ctx => ({ ...ctx.session.toJSON(), user: live(ctx).login?.id }),
}

/** An app with those handlers on a store, a browser of it, and the clock of both. */
export interface StoredApp {
  store: ReturnType<typeof recorded>
  app: TestApp
  browser: Browser
  now: () => number
  advance: (milliseconds: number) => void
}

/** Serves sessions that live in one of STORES. */
export async function startOn(
  t: ExecutionContext,
  { setup }: Pick<StoreCase, 'setup'>,
  more: AppOptions = {},
): Promise<StoredApp> {
  const { open, now, advance } = await setup(t)
  const store = recorded(await open())
  const app = await startApp(t, { store, now, deadline: WIDE_DEADLINE, handlers: SESSION_HANDLERS, ...more })
  return { store, app, now, advance: advance!, browser: app.browser() }
}

/** The id that a browser's cookie holds. */
export function idOf(browser: Browser): string {
  return browser.cookies.get('sid')!.split('.')[0]!
}

/** The reasons that events give from now on for sessions that are gone, those of other tests among them. */
export function reasons(): string[] {
  const heard: string[] = []
  subscribe('koa-strata:session-gone', message => heard.push((message as { reason: string }).reason))
  return heard
}

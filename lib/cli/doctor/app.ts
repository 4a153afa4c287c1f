import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { descriptionOf } from '../../described.ts'
import type { SessionsDescription } from '../../sessions/layer.ts'
import type { StackDescription } from '../../stack.ts'
import { CommandFailed, EXIT, reasonOf } from '../failure.ts'

/** What is looked at of a Koa application. */
export interface KoaApp {
  readonly middleware: readonly unknown[]
  readonly keys?: unknown
  readonly proxy: boolean
}

/** An application, and the layers of sessions that could be found in it. */
export interface InspectedApp {
  readonly app: KoaApp
  readonly sessions: readonly SessionsDescription[]
}

/**
 * Imports the application that a module exports, as `default` or `app`. What it prints goes to stderr from here on, since stdout is for findings.
 * @throws CommandFailed where it exports none, or cannot be imported
 */
export async function importApp(path: string): Promise<InspectedApp> {
  process.stdout.write = process.stderr.write.bind(process.stderr)
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown; app?: unknown }
    const app = [module.default, module.app].find(isKoaApp)
    if (!app) throw new Error("it exports no Koa app, as 'export default app' or 'export const app'.")
    return { app, sessions: app.middleware.flatMap(sessionsIn) }
  } catch (error) {
    throw new CommandFailed(EXIT.unreachable, 'APP', `${path} cannot be looked at: ${reasonOf(error)}`)
  }
}

/** The layers of sessions in a middleware, wherever in a stack they are. */
function sessionsIn(middleware: unknown): SessionsDescription[] {
  const stack = descriptionOf<StackDescription>('stack()', middleware)
  if (stack) return stack.parts.flatMap(sessionsIn)
  const found = descriptionOf<SessionsDescription>('sessions()', middleware)
  return found ? [found] : []
}

function isKoaApp(exported: unknown): exported is KoaApp {
  return (
    typeof exported === 'object' &&
    exported !== null &&
    'middleware' in exported &&
    Array.isArray(exported.middleware) &&
    'proxy' in exported
  )
}

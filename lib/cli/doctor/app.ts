import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { descriptionOf, partsWithin } from '../../described.ts'
import type { SessionsDescription } from '../../sessions/layer.ts'
import { CommandFailed, EXIT, reasonOf } from '../failure.ts'

/** What is looked at of a Koa application. */
export interface KoaApp {
  readonly middleware: readonly unknown[]
  readonly keys?: unknown
  readonly proxy: boolean
}

/** An application, and what could be found in it. */
export interface InspectedApp {
  readonly app: KoaApp
  /** Its middleware, in its order, with its parts in the place of a stack or of realms. */
  readonly parts: readonly unknown[]
  /** The layers of sessions among them, each once. */
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
    return inspect(app)
  } catch (error) {
    throw new CommandFailed(EXIT.unreachable, 'APP', `${path} cannot be looked at: ${reasonOf(error)}`)
  }
}

/** Looks into an application. */
export function inspect(app: KoaApp): InspectedApp {
  const parts = app.middleware.flatMap(partsWithin)
  const sessions = parts.flatMap(part => descriptionOf<SessionsDescription>('sessions()', part) ?? [])
  return { app, parts, sessions: [...new Set(sessions)] }
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

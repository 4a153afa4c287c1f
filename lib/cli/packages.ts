import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CommandFailed, EXIT } from './failure.ts'

/**
 * Where a package of the application is, as the folder resolves it that the command was called in, or else as this library does; null where
 * neither finds it.
 */
export function findPackage(name: string): string | null {
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'koa-strata.js')).resolve(name)).href
  } catch {}
  try {
    return import.meta.resolve(name)
  } catch {
    return null
  }
}

/** The same. @param purpose what needs it, for the message @throws CommandFailed with the line that installs it */
export function needPackage(name: string, purpose: string): string {
  const found = findPackage(name)
  if (found !== null) return found
  throw new CommandFailed(
    EXIT.unreachable,
    'PACKAGE_MISSING',
    `${purpose} needs the package ${name}, which is not installed here. Install it with: npm install ${name}`,
  )
}

/** What a package of the application exports under a name: loaded only now, since not everybody needs it. @throws CommandFailed likewise */
export async function loadExport<Exported>(name: string, exported: string, purpose: string): Promise<Exported> {
  const module = (await import(needPackage(name, purpose))) as Record<string, unknown>
  // Node does not see all names that a CommonJS package exports.
  return (module[exported] ?? (module.default as Record<string, unknown>)[exported]) as Exported
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'

/** One import or re-export of a source file. */
export interface Import {
  /** What stands in the quotes. */
  specifier: string
  /** Whether it is erased before the code runs: `import type`, `export type`. */
  typeOnly: boolean
}

/** The TypeScript files below a folder of the project, as paths from its root with `/`, in order. None where the folder is missing. */
export function sourceFiles(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** The text of a file of the project; null where there is none. */
export function textOf(root: string, path: string): string | null {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null
}

/** The text without its comments; strings stay. Regular expressions that hold quotes or `//` are beyond it. */
export function withoutComments(text: string): string {
  return text.replace(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (_, string: string | undefined) => string ?? '',
  )
}

/** What a source file imports and re-exports, as the formatter lays it out: each statement on a line of its own. */
export function importsOf(text: string): Import[] {
  const bare = withoutComments(text)
  const found: Import[] = []
  for (const [, typeOnly, specifier] of bare.matchAll(
    /^(?:import|export)\b(?: (type)\b(?! from))?(?:[^'"`;()=]*?\bfrom)? ?['"]([^'"]+)['"]/gm,
  )) {
    found.push({ specifier: specifier!, typeOnly: typeOnly !== undefined })
  }
  for (const [, specifier] of bare.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)) {
    found.push({ specifier: specifier!, typeOnly: false })
  }
  return found
}

/** The file a relative import leads to, as a path from the root. */
export function resolveFrom(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier)
}

/** `knex` of `knex/lib/x`, `@koa/router` of `@koa/router/x`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

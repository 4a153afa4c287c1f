import { resolveFrom, textOf } from './sources.ts'

/** One name that a module exports, as value or type. */
export interface Exported {
  name: string
  /** The file that declares it. */
  file: string
  /** Whether it is there at run time. */
  isValue: boolean
  /** Whether a doc comment stands right above the declaration. */
  documented: boolean
}

const DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?<kind>class|function\*?|const|let|interface|type) (?<name>[A-Za-z_$][\w$]*)/gm

/** What a module of the project exports, by itself and from others, with where it is declared. It goes by the text as the formatter lays it out. */
export function exportsOf(root: string, file: string): Exported[] {
  const text = textOf(root, file) ?? ''
  const found: Exported[] = []
  for (const match of text.matchAll(DECLARATION)) {
    const { name = '', kind = '' } = match.groups!
    if (found.some(one => one.name === name)) continue
    found.push({ name, file, isValue: isValue(kind), documented: hasDoc(text.slice(0, match.index)) })
  }
  for (const [, names, specifier] of text.matchAll(/^export (?:type )?(\*|\{[^}]*\})(?: from '([^']+)')?/gm)) {
    if (specifier === undefined) {
      for (const [inner, outer] of listed(names!)) found.push({ ...declaredIn(root, file, inner), name: outer })
      continue
    }
    const target = resolveFrom(file, specifier)
    if (names === '*') found.push(...exportsOf(root, target))
    else for (const [inner, outer] of listed(names!)) found.push({ ...declared(root, target, inner), name: outer })
  }
  return found
}

function isValue(kind: string): boolean {
  return kind !== 'interface' && kind !== 'type'
}

function hasDoc(before: string): boolean {
  const lines = before.trimEnd().split('\n')
  while (lines.at(-1)?.startsWith('// ')) lines.pop()
  const above = lines.join('\n')
  return above.endsWith('*/') && above.startsWith('/**', above.lastIndexOf('/*'))
}

function listed(braces: string): [inner: string, outer: string][] {
  const entries = braces.slice(1, -1).split(',')
  return entries
    .map(entry => entry.trim().replace(/^type /, ''))
    .filter(entry => entry !== '')
    .map(entry => entry.split(' as '))
    .map(([inner, outer]) => [inner!, outer ?? inner!])
}

function declared(root: string, file: string, name: string): Exported {
  return exportsOf(root, file).find(one => one.name === name) ?? declaredIn(root, file, name)
}

/** A declaration without `export`. An imported name is not found: it is exported with `from`, where one sees whence it is. */
function declaredIn(root: string, file: string, name: string): Exported {
  const text = textOf(root, file) ?? ''
  const local = new RegExp(
    `^(?:declare )?(?:abstract )?(?:async )?(class|function\\*?|const|let|interface|type) ${name}\\b`,
    'm',
  ).exec(text)
  if (!local) return { name, file, isValue: false, documented: false }
  return { name, file, isValue: isValue(local[1]!), documented: hasDoc(text.slice(0, local.index)) }
}

/**
 * Checks that each door of the package exports what the table "The doors" in ARCHITECTURE.md says, that every entry of package.json's exports
 * leads to a source file and to its build, and that every exported thing has a doc comment.
 *
 * Without it a name would become public by an `export *` that nobody looked at, or vanish in a refactoring; both are found by users first.
 *
 * The table: a row for each door, the import in backticks in the first column, its values (not its types) in backticks in the second. The words
 * "every error class" there stand for the values of lib/errors.ts, which have a table of their own.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { exportsOf } from './exports.ts'
import { tableRows } from './markdown.ts'
import { type Check, report } from './report.ts'
import { textOf } from './sources.ts'

const PAGE = 'ARCHITECTURE.md'
const HEADING = 'The doors'

export const checkDoors: Check = async root => {
  const problems: string[] = []
  const manifest = JSON.parse(textOf(root, 'package.json')!) as {
    name: string
    exports: Record<string, string | Record<string, string>>
  }
  const documented = documentedDoors(root)
  if (documented.size === 0) problems.push(`${PAGE} has no table under a heading '${HEADING}'.`)

  const doors = Object.entries(manifest.exports).filter(([subpath]) => subpath !== './package.json')
  for (const [subpath, entry] of doors) {
    const door = manifest.name + subpath.slice(1)
    const { 'koa-strata:source': source = '', types, default: built } = typeof entry === 'string' ? {} : entry
    const expected = source.replace(/^\.\/lib\//, './dist/').replace(/\.ts$/, '')
    if (types !== `${expected}.d.ts` || built !== `${expected}.js`)
      problems.push(`package.json: the exports of '${subpath}' do not lead to the build of '${source}'.`)
    const path = source.replace(/^\.\//, '')
    if (textOf(root, path) === null) {
      problems.push(`package.json: the source of '${subpath}', ${source || 'none'}, does not exist.`)
      continue
    }
    const actual = Object.keys(await import(pathToFileURL(join(root, path)).href))
    problems.push(...differences(door, actual, documented.get(door)))
    for (const { name, file, documented: hasDoc } of exportsOf(root, path)) {
      if (!hasDoc) problems.push(`${door}: ${name} has no doc comment in ${file}.`)
    }
  }
  for (const door of documented.keys()) {
    if (!doors.some(([subpath]) => manifest.name + subpath.slice(1) === door))
      problems.push(`${PAGE} lists ${door}, which package.json does not export.`)
  }
  return problems
}

function documentedDoors(root: string): Map<string, string[]> {
  const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
  const errors = (cell: string) =>
    cell.includes('every error class')
      ? exportsOf(root, 'lib/errors.ts').flatMap(one => (one.isValue ? one.name : []))
      : []
  const rows = tableRows(textOf(root, PAGE) ?? '', HEADING)
  return new Map(rows.map(([door = '', values = '']) => [names(door)[0] ?? '', [...names(values), ...errors(values)]]))
}

function differences(door: string, actual: string[], documented: string[] | undefined): string[] {
  if (!documented) return [`${PAGE} does not list ${door} under '${HEADING}'.`]
  const extra = actual.filter(name => !documented.includes(name))
  const missing = documented.filter(name => !actual.includes(name))
  return [
    ...(extra.length > 0 ? [`${door} exports ${extra.join(', ')}, which ${PAGE} does not list.`] : []),
    ...(missing.length > 0 ? [`${PAGE} lists ${missing.join(', ')}, which ${door} does not export.`] : []),
  ]
}

if (import.meta.main) await report('doors', checkDoors)

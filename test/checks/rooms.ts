/**
 * Checks that the rooms of lib/ stand in order: each imports only from the rooms before it, and no file imports itself in a circle.
 *
 * Without it a store would one day import the user layer "just for a type": nobody could read a room by itself any more, and a circle of
 * modules would fail at load, by the order in which an application happens to import them. It also keeps drivers (knex, redis …) out of what
 * is loaded, and knex's types out of the root door, whose declarations must check in a project that has no knex.
 */
import { type Check, report } from './report.ts'
import { importsOf, packageOf, resolveFrom, sourceFiles, textOf } from './sources.ts'

/** Rooms of one rank must not import each other. The files directly in lib/ are the ground. */
const RANKS = [
  ['errors'],
  ['ground'],
  ['database'],
  ['sessions'],
  ['users'],
  ['profiles'],
  ['feeds'],
  ['sharing', 'django'],
  ['cli', 'testing'],
]
const MOST_LINES = 300

interface Package {
  exports?: Record<string, string | Record<string, string>>
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
}

export const checkRooms: Check = async root => {
  const problems: string[] = []
  const files = sourceFiles(root, 'lib')
  const manifest = JSON.parse(textOf(root, 'package.json') ?? '{}') as Package
  const doors = doorsAtTheTop(manifest)
  const graph = new Map<string, string[]>()
  const packages = new Map<string, string[]>()

  for (const file of files) {
    const text = textOf(root, file)!
    const lines = text.split('\n').length - 1
    if (lines > MOST_LINES)
      problems.push(`${file} has ${lines} lines, more than ${MOST_LINES}: look for a second concept.`)
    const room = roomOf(file)
    const rank = rankOf(room)
    if (rank < 0)
      problems.push(`${file}: '${room}' is no room. Give it a place in test/checks/rooms.ts and ARCHITECTURE.md.`)
    for (const { specifier, typeOnly } of importsOf(text)) {
      if (!specifier.startsWith('.')) {
        packages.set(file, [...(packages.get(file) ?? []), packageOf(specifier)])
        const problem = packageProblem(manifest, specifier, typeOnly)
        if (problem) problems.push(`${file} ${problem}`)
        continue
      }
      const target = resolveFrom(file, specifier)
      if (!files.includes(target)) {
        problems.push(`${file} imports ${specifier}, which is no file of lib/.`)
        continue
      }
      graph.set(file, [...(graph.get(file) ?? []), target])
      if (doors.has(target))
        problems.push(`${file} imports the door ${target}: import the file that it takes the name from.`)
      else if (!doors.has(file)) {
        const other = roomOf(target)
        const stands = other === room || rankOf(other) < rank
        if (!stands)
          problems.push(
            `${file} imports ${target}, but ${room} stands before ${other} or beside it: turn the import round.`,
          )
      }
    }
  }

  for (const circle of circlesIn(graph)) problems.push(`circle: ${circle.join(' → ')}.`)
  for (const path of reachable(graph, 'lib/index.ts')) {
    for (const name of packages.get(path) ?? []) {
      if (manifest.peerDependenciesMeta?.[name]?.optional)
        problems.push(
          `${path} imports ${name}, and lib/index.ts leads to it: ${name} is optional, so it belongs behind another door.`,
        )
    }
  }
  return problems
}

function doorsAtTheTop({ exports = {} }: Package): Set<string> {
  const sources = Object.values(exports).map(entry => (typeof entry === 'string' ? entry : entry['koa-strata:source']))
  return new Set(sources.map(path => path?.replace(/^\.\//, '') ?? '').filter(path => /^lib\/[^/]+\.ts$/.test(path)))
}

function roomOf(file: string): string {
  const [, room, rest] = file.split('/')
  return rest === undefined ? 'ground' : room!
}

function rankOf(room: string): number {
  return RANKS.findIndex(rooms => rooms.includes(room))
}

function packageProblem(manifest: Package, specifier: string, typeOnly: boolean): string | null {
  if (specifier.startsWith('node:')) return null
  const name = packageOf(specifier)
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest
  if (name in dependencies) return null
  if (name in peerDependencies) {
    if (typeOnly || !peerDependenciesMeta[name]?.optional) return null
    return `imports values of ${name}, which may not be installed: write 'import type'.`
  }
  return `imports ${name}, which is neither a dependency nor a peer: users would not have it.`
}

function circlesIn(graph: ReadonlyMap<string, string[]>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const visit = (file: string, trail: string[]) => {
    const start = trail.indexOf(file)
    if (start >= 0) circles.push([...trail.slice(start), file])
    if (start >= 0 || done.has(file)) return
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return circles
}

function reachable(graph: ReadonlyMap<string, string[]>, start: string): Set<string> {
  const seen = new Set([start])
  for (const file of seen) for (const target of graph.get(file) ?? []) seen.add(target)
  return seen
}

if (import.meta.main) await report('rooms', checkRooms)

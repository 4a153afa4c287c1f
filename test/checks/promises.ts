/**
 * Checks that each promise in SECURITY.md has a test whose title starts with its id (`S2: …`), and that no test claims an id that is not there.
 *
 * Without it SECURITY.md would promise what nobody ever tried, or go on promising what a removed test had shown.
 *
 * A promise in SECURITY.md is an item of a list that starts with its id in bold: `- **S2** A save never brings back …`.
 */
import { type Check, report } from './report.ts'
import { sourceFiles, textOf, withoutComments } from './sources.ts'

const PAGE = 'SECURITY.md'

export const checkPromises: Check = async root => {
  const page = textOf(root, PAGE)
  if (page === null) return [`${PAGE} is missing.`]
  const problems: string[] = []
  const promised = [...page.matchAll(/^\s*[-*] \*\*([A-Z]\d+)\*\*/gm)].map(([, id]) => id!)
  if (promised.length === 0)
    problems.push(`${PAGE} lists no promise: an item starts with its id in bold, as '- **S2** …'.`)
  for (const id of new Set(promised.filter((one, index) => promised.indexOf(one) !== index)))
    problems.push(`${PAGE} lists ${id} twice.`)

  const shown = new Map<string, string>()
  for (const file of testFiles(root)) for (const id of idsIn(textOf(root, file)!)) shown.set(id, file)
  for (const id of new Set(promised)) {
    if (!shown.has(id)) problems.push(`${PAGE} promises ${id}, and no test has a title that starts with '${id}: '.`)
  }
  for (const [id, file] of shown) {
    if (!promised.includes(id)) problems.push(`${file} shows ${id}, which ${PAGE} does not list.`)
  }
  return problems
}

/** The tests of the checks are about made-up projects: what they quote is no title of a test. */
function testFiles(root: string): string[] {
  return [...sourceFiles(root, 'test'), ...sourceFiles(root, 'recipes')].filter(
    file => file.endsWith('.test.ts') && !file.startsWith('test/checks/'),
  )
}

/** The ids at the start of titles. Tests that do not run, or are to fail, show nothing. */
function idsIn(text: string): string[] {
  const running = withoutComments(text).replace(/\.(?:skip|todo|failing)\(\s*['"`]/g, '')
  return [...running.matchAll(/['"`]([A-Z]\d+): /g)].map(([, id]) => id!)
}

if (import.meta.main) await report('promises', checkPromises)

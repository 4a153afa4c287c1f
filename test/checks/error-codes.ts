/**
 * Checks that every error stands in lib/errors/ with a code of its own, is exported by the root door, is explained in the table "Errors" of
 * ARCHITECTURE.md with its status, and occurs in a test. What only ends the command line is told by lib/cli itself, to no application.
 *
 * Without it an application could meet a code that no page explains, branch on one that two errors share, or wait for one that is never thrown.
 *
 * The table: a row for each error, its code in backticks in the first column, its HTTP status in the second, what to do in the third.
 */

import { exportsOf } from './exports.ts'
import { tableRows } from './markdown.ts'
import { type Check, report } from './report.ts'
import { sourceFiles, textOf, withoutComments } from './sources.ts'

const ERRORS = 'lib/errors/'
const PAGE = 'ARCHITECTURE.md'
const HEADING = 'Errors'

interface ErrorClass {
  name: string
  code: string
  status: string
}

export const checkErrorCodes: Check = async root => {
  const problems: string[] = []
  const errors = sourceFiles(root, 'lib')
    .filter(file => file.startsWith(ERRORS))
    .flatMap(file => errorClasses(withoutComments(textOf(root, file)!), problems))
  const exported = exportsOf(root, 'lib/index.ts').map(({ name }) => name)
  const tests = [...sourceFiles(root, 'test'), ...sourceFiles(root, 'recipes')]
    .filter(file => file.endsWith('.test.ts') && !file.startsWith('test/checks/'))
    .map(file => textOf(root, file)!)
    .join('\n')
  const rows = new Map(tableRows(textOf(root, PAGE) ?? '', HEADING).map(([code = '', ...rest]) => [code, rest]))
  if (rows.size === 0) problems.push(`${PAGE} has no table under a heading '${HEADING}'.`)

  for (const { name, code, status } of errors) {
    if (!exported.includes(name)) problems.push(`${name} is not exported by lib/index.ts.`)
    if (errors.find(one => one.code === code)!.name !== name)
      problems.push(`${name} has a code that another error has: ${code}.`)
    if (!new RegExp(`\\b(?:${name}|${code})\\b`).test(tests)) problems.push(`${code} (${name}) occurs in no test.`)
    const [documentedStatus, advice] = rows.get(`\`${code}\``) ?? []
    if (documentedStatus === undefined) problems.push(`${PAGE} does not explain ${code} under '${HEADING}'.`)
    else if (documentedStatus !== status)
      problems.push(`${PAGE} gives ${code} the status ${documentedStatus}; ${name} has ${status}.`)
    else if (!advice) problems.push(`${PAGE} does not say what to do about ${code}.`)
  }
  for (const row of rows.keys()) {
    if (!errors.some(({ code }) => row === `\`${code}\``)) problems.push(`${PAGE} explains ${row}, which no error has.`)
  }
  for (const file of sourceFiles(root, 'lib')) {
    const [, stray] = /\bclass (\w+) extends (?:\w*Error)\b/.exec(withoutComments(textOf(root, file)!)) ?? []
    if (stray && !file.startsWith(ERRORS) && !file.startsWith('lib/cli/'))
      problems.push(`${file} declares the error ${stray}: errors stand in ${ERRORS}.`)
  }
  return problems
}

function errorClasses(text: string, problems: string[]): ErrorClass[] {
  const [, ...chunks] = text.split(/^export class /m)
  return chunks.flatMap(chunk => {
    const [name = ''] = /^\w+/.exec(chunk) ?? []
    const [, code] = /^ {2}(?:override )?readonly code = '([^']+)'/m.exec(chunk) ?? []
    if (code === undefined || !/^[A-Z][A-Z_]*[A-Z]$/.test(code)) {
      problems.push(`${name} has no upper-case code: write readonly code = 'SOMETHING_WRONG'.`)
      return []
    }
    const [, status = '500'] = /\bstatus: (\d{3})\b/.exec(chunk) ?? []
    return [{ name, code, status }]
  })
}

if (import.meta.main) await report('error codes', checkErrorCodes)

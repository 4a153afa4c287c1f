import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { type Complaint, complaintsIn, differences, expectedIn } from './expectations.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cases = join(import.meta.dirname, 'cases')

function compile(): Promise<string> {
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')))
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [tsc, '-p', import.meta.dirname, '--pretty', 'false'],
      { cwd: root },
      (_failed, stdout, stderr) => resolve(stdout + stderr),
    )
  })
}

const said = compile().then(complaintsIn)

for (const file of readdirSync(cases)) {
  test(`the compiler says of cases/${file} exactly what is expected there`, async t => {
    const here = ({ file: path }: Complaint) => basename(path) === file
    const expected = expectedIn(`test/types/cases/${file}`, readFileSync(join(cases, file), 'utf8'))
    t.true(expected.length > 0, 'a case without an expected error would pass if nothing were compiled')
    t.deepEqual(differences(expected, (await said).filter(here)), [])
  })
}

test('the compiler says nothing of other files', async t => {
  t.deepEqual(
    (await said).filter(({ file }) => !file.startsWith('test/types/cases/')),
    [],
  )
})

const text = [
  '  // error: TS1: One.',
  '  //   Because.',
  '  // error: TS2: Two.',
  '  bad()',
  '  // A remark.',
  '  good()',
].join('\n')
const output = 'a.ts(4,3): error TS1: One.\n  Because.\na.ts(4,7): error TS2: Two.\n'

test('expected complaints that are made are in order', t => {
  t.deepEqual(differences(expectedIn('a.ts', text), complaintsIn(output)), [])
})

const wrong: [title: string, output: string, differences: string[]][] = [
  [
    'a complaint in other words is found',
    output.replace('Because', 'Since'),
    ['expected, and not said: a.ts:4 TS1: One.\n  Because.', 'said, and not expected: a.ts:4 TS1: One.\n  Since.'],
  ],
  [
    'a complaint about another line is found',
    output.replace('(4,7)', '(6,3)'),
    ['expected, and not said: a.ts:4 TS2: Two.', 'said, and not expected: a.ts:6 TS2: Two.'],
  ],
  [
    'a complaint that is not made is found',
    'a.ts(4,7): error TS2: Two.\n',
    ['expected, and not said: a.ts:4 TS1: One.\n  Because.'],
  ],
  [
    'a complaint that nobody expects is found',
    `${output}a.ts(4,9): error TS2: Two.\n`,
    ['said, and not expected: a.ts:4 TS2: Two.'],
  ],
]

for (const [title, changed, problems] of wrong) {
  test(title, t => {
    t.deepEqual(differences(expectedIn('a.ts', text), complaintsIn(changed)), problems)
  })
}

test('a compiler that did not start is no success', t => {
  t.throws(() => complaintsIn("error TS5058: The specified path does not exist: 'test/types'.\n"), {
    message: /The compiler says: error TS5058/,
  })
})

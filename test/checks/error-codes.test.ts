import test from 'ava'
import { checkErrorCodes } from './error-codes.ts'
import { tree } from './tree.ts'

const errors = [
  'export abstract class MadeUpError extends Error {}',
  'export class Full extends MadeUpError {',
  "  readonly code = 'FULL'",
  '  constructor() {',
  "    super('Full.', { status: 503 })",
  '  }',
  '}',
  'export class Empty extends MadeUpError {',
  "  readonly code = 'EMPTY'",
  '}',
  '',
].join('\n')
const page =
  '## Errors\n\n| code | status | what to do |\n| --- | --- | --- |\n| `FULL` | 503 | Wait. |\n| `EMPTY` | 500 | Fill it. |\n'
const inOrder = {
  'lib/errors/tanks.ts': errors,
  'lib/index.ts': "export * from './errors/tanks.ts'\n",
  'ARCHITECTURE.md': page,
  'test/errors.test.ts': "t.throws(fill, { instanceOf: Full })\nt.throws(drain, { code: 'EMPTY' })\n",
}

test('errors that are exported, explained and tested are in order', async t => {
  t.deepEqual(await checkErrorCodes(tree(t, inOrder)), [])
})

const wrong: [title: string, files: Record<string, string>, problem: string][] = [
  [
    'an error behind no door is found',
    { 'lib/index.ts': "export { Full } from './errors/tanks.ts'\n" },
    'Empty is not exported by lib/index.ts.',
  ],
  [
    'a code that two errors have is found',
    { 'lib/errors/tanks.ts': errors.replace('EMPTY', 'FULL') },
    'Empty has a code that another error has: FULL.',
  ],
  [
    'an error without a code is found',
    { 'lib/errors/tanks.ts': errors.replace("  readonly code = 'EMPTY'\n", '') },
    "Empty has no upper-case code: write readonly code = 'SOMETHING_WRONG'.",
  ],
  [
    'a code that is not explained is found',
    { 'ARCHITECTURE.md': page.replace('| `EMPTY` | 500 | Fill it. |\n', '') },
    "ARCHITECTURE.md does not explain EMPTY under 'Errors'.",
  ],
  [
    'a code without advice is found',
    { 'ARCHITECTURE.md': page.replace('Fill it.', '') },
    'ARCHITECTURE.md does not say what to do about EMPTY.',
  ],
  [
    'another status than the explained one is found',
    { 'ARCHITECTURE.md': page.replace('503', '500') },
    'ARCHITECTURE.md gives FULL the status 500; Full has 503.',
  ],
  [
    'an explained code that no error has is found',
    { 'ARCHITECTURE.md': `${page}| \`GONE\` | 410 | Nothing. |\n` },
    'ARCHITECTURE.md explains `GONE`, which no error has.',
  ],
  [
    'an error that no test meets is found',
    { 'test/errors.test.ts': 't.throws(fill, { instanceOf: Full })\n' },
    'EMPTY (Empty) occurs in no test.',
  ],
  [
    'an error declared elsewhere is found',
    { 'lib/users/login.ts': 'class Stray extends TypeError {}\n' },
    'lib/users/login.ts declares the error Stray: errors stand in lib/errors/.',
  ],
  [
    'a page without the table is found',
    { 'ARCHITECTURE.md': '' },
    "ARCHITECTURE.md has no table under a heading 'Errors'.",
  ],
]

for (const [title, files, problem] of wrong) {
  test(title, async t => {
    const problems = await checkErrorCodes(tree(t, { ...inOrder, ...files }))
    t.true(problems.includes(problem), problems.join('\n'))
  })
}

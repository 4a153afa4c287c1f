import test from 'ava'
import { checkDoors } from './doors.ts'
import { tree } from './tree.ts'

const entry = (name: string) => ({
  'koa-strata:source': `./lib/${name}.ts`,
  types: `./dist/${name}.d.ts`,
  default: `./dist/${name}.js`,
})
const page = [
  '# Made up',
  '## The doors',
  'What they hold.',
  '',
  '| import | values |',
  '| --- | --- |',
  '| `made-up` | `open`, `shut` |',
  '| `made-up/sql` | `table` |',
  '',
  '## After',
].join('\n')
const inOrder = {
  'package.json': {
    name: 'made-up',
    type: 'module',
    exports: { '.': entry('index'), './sql': entry('sql'), './package.json': './package.json' },
  },
  'ARCHITECTURE.md': page,
  'lib/index.ts': "export * from './open.ts'\nexport { close as shut, type Handle } from './close.ts'\n",
  'lib/open.ts': '/** Opens. */\nexport function open(): void {}\n',
  'lib/close.ts':
    '/** Closes. */\nexport const close = 1\n/** What one holds. */\n// eslint: a remark\nexport interface Handle {\n  x: 1\n}\n',
  'lib/sql.ts': '/** A table. */\nexport class table {}\n',
}

test('doors that export what is documented are in order', async t => {
  t.deepEqual(await checkDoors(tree(t, inOrder)), [])
})

test('"every error class" stands for the values of lib/errors.ts', async t => {
  const files = {
    ...inOrder,
    'lib/errors.ts':
      '/** Wrong. */\nexport class Wrong extends Error {}\n/** Traits. */\nexport interface Traits {\n  x: 1\n}\n',
    'lib/sql.ts': "export * from './errors.ts'\n/** A table. */\nexport const table = 1\n",
  }
  const problem = 'made-up/sql exports Wrong, which ARCHITECTURE.md does not list.'
  t.deepEqual(await checkDoors(tree(t, files)), [problem])
  const listed = page.replace('`table`', '`table`, every error class')
  t.deepEqual(await checkDoors(tree(t, { ...files, 'ARCHITECTURE.md': listed })), [])
})

const wrong: [title: string, files: Record<string, string | object>, problem: string][] = [
  [
    'an export that is not documented is found',
    { 'lib/open.ts': '/** Opens. */\nexport const open = 1\n/** More. */\nexport const more = 2\n' },
    'made-up exports more, which ARCHITECTURE.md does not list.',
  ],
  [
    'a documented export that is not there is found',
    { 'lib/sql.ts': '/** Nothing. */\nexport type table = 1\n' },
    'ARCHITECTURE.md lists table, which made-up/sql does not export.',
  ],
  [
    'a door that is not documented is found',
    { 'ARCHITECTURE.md': page.replace('| `made-up/sql` | `table` |\n', '') },
    "ARCHITECTURE.md does not list made-up/sql under 'The doors'.",
  ],
  [
    'a documented door that is not there is found',
    { 'ARCHITECTURE.md': page.replace('made-up/sql', 'made-up/other') },
    'ARCHITECTURE.md lists made-up/other, which package.json does not export.',
  ],
  [
    'a page that is not there is found',
    { 'ARCHITECTURE.md': '' },
    "ARCHITECTURE.md has no table under a heading 'The doors'.",
  ],
  [
    'an entry without its source is found',
    { 'package.json': { name: 'made-up', type: 'module', exports: { '.': entry('index'), './sql': entry('sequel') } } },
    "package.json: the source of './sql', ./lib/sequel.ts, does not exist.",
  ],
  [
    'an entry that leads to another build is found',
    {
      'package.json': {
        name: 'made-up',
        type: 'module',
        exports: { '.': entry('index'), './sql': { ...entry('sql'), types: './dist/index.d.ts' } },
      },
    },
    "package.json: the exports of './sql' do not lead to the build of './lib/sql.ts'.",
  ],
  [
    'a value without a doc comment is found',
    { 'lib/open.ts': '/** Not of open. */\nconst x = 1\nexport const open = x\n' },
    'made-up: open has no doc comment in lib/open.ts.',
  ],
  [
    'a renamed value and a type without a doc comment are found',
    { 'lib/close.ts': 'export const close = 1\nexport interface Handle {\n  x: 1\n}\n' },
    'made-up: shut has no doc comment in lib/close.ts.\nmade-up: Handle has no doc comment in lib/close.ts.',
  ],
]

for (const [title, files, problem] of wrong) {
  test(title, async t => {
    const problems = await checkDoors(tree(t, { ...inOrder, ...files }))
    for (const line of problem.split('\n')) t.true(problems.includes(line), problems.join('\n'))
  })
}

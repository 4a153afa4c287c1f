import test from 'ava'
import { checkRooms } from './rooms.ts'
import { tree } from './tree.ts'

const manifest = {
  name: 'made-up',
  exports: { '.': { 'koa-strata:source': './lib/index.ts' } },
  dependencies: { 'koa-session': '7.0.2' },
  peerDependencies: { koa: '3', knex: '3' },
  peerDependenciesMeta: { knex: { optional: true } },
}

const inOrder = {
  'package.json': manifest,
  'lib/index.ts': "export { users } from './users/layer.ts'\n",
  'lib/errors.ts': 'export class Wrong extends Error {}\n',
  'lib/sessions/layer.ts':
    "import type { Context } from 'koa'\nimport session from 'koa-session'\nimport { Wrong } from '../errors.ts'\n",
  'lib/users/layer.ts': "import { x } from '../sessions/layer.ts'\nexport const users = x\n",
  'lib/users/sql.ts': "import type { Knex } from 'knex'\nimport { users } from './layer.ts'\n",
}

test('rooms in order are in order', async t => {
  t.deepEqual(await checkRooms(tree(t, inOrder)), [])
})

const wrong: [title: string, files: Record<string, string>, problem: RegExp][] = [
  [
    'an import of a later room, be it a type, is found',
    { 'lib/sessions/id.ts': "import type { users } from '../users/layer.ts'\n" },
    /^lib\/sessions\/id\.ts imports lib\/users\/layer\.ts, but sessions stands before users/,
  ],
  [
    'an import of a room beside is found',
    {
      'lib/sharing/realms.ts': "import { sign } from '../django/sign.ts'\n",
      'lib/django/sign.ts': 'export const sign = 1\n',
    },
    /^lib\/sharing\/realms\.ts imports lib\/django\/sign\.ts, but sharing stands before django or beside it/,
  ],
  [
    'an import over several lines is found',
    { 'lib/sessions/id.ts': "import {\n  users,\n  more,\n} from '../users/layer.ts'\n" },
    /^lib\/sessions\/id\.ts imports lib\/users\/layer\.ts/,
  ],
  [
    'a re-export and an import at run time are found',
    { 'lib/errors.ts': "export * from './users/layer.ts'\nexport const late = () => import('./sessions/layer.ts')\n" },
    /^lib\/errors\.ts imports lib\/sessions\/layer\.ts, but ground stands before sessions/,
  ],
  [
    'an import of a door is found',
    { 'lib/feeds/basic.ts': "import { users } from '../index.ts'\n" },
    /^lib\/feeds\/basic\.ts imports the door lib\/index\.ts/,
  ],
  [
    'a circle inside a room is found',
    {
      'lib/feeds/a.ts': "import { b } from './b.ts'\nexport const a = b\n",
      'lib/feeds/b.ts': "import type { a } from './a.ts'\nexport const b = 1\n",
    },
    /^circle: lib\/feeds\/a\.ts → lib\/feeds\/b\.ts → lib\/feeds\/a\.ts\.$/,
  ],
  ['a room that nobody placed is found', { 'lib/utils/x.ts': 'export const x = 1\n' }, /'utils' is no room/],
  ['a file of more than 300 lines is found', { 'lib/long.ts': '\n'.repeat(301) }, /^lib\/long\.ts has 301 lines/],
  [
    'an import of a file that is not there is found',
    { 'lib/users/gone.ts': "import './missing.ts'\n" },
    /^lib\/users\/gone\.ts imports \.\/missing\.ts, which is no file/,
  ],
  [
    'a value of an optional driver is found',
    { 'lib/users/sql.ts': "import knex, { type Knex } from 'knex'\n" },
    /^lib\/users\/sql\.ts imports values of knex/,
  ],
  [
    'a package that users would not have is found',
    { 'lib/users/sql.ts': "import { createClient } from 'redis'\n" },
    /^lib\/users\/sql\.ts imports redis, which is neither/,
  ],
  [
    'an optional driver behind the root door is found',
    { 'lib/users/layer.ts': "import type { Knex } from 'knex'\n" },
    /^lib\/users\/layer\.ts imports knex, and lib\/index\.ts leads to it/,
  ],
]

for (const [title, files, problem] of wrong) {
  test(title, async t => {
    const problems = await checkRooms(tree(t, { ...inOrder, ...files }))
    t.true(
      problems.some(one => problem.test(one)),
      problems.join('\n'),
    )
  })
}

test('what only looks like an import is none', async t => {
  const text = [
    "// import { users } from '../users/layer.ts'",
    "/* import '../users/layer.ts' */",
    'export const example = "import x from \'../users/layer.ts\'"',
    "export type From = 'x'",
    '',
  ].join('\n')
  t.deepEqual(await checkRooms(tree(t, { ...inOrder, 'lib/sessions/id.ts': text })), [])
})

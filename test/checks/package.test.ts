import { join } from 'node:path'
import test from 'ava'
import { lintTarball, pack } from './package.ts'
import { tree } from './tree.ts'

const manifest = {
  name: 'made-up',
  version: '1.0.0',
  license: 'MIT',
  type: 'module',
  files: ['dist'],
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
}
const whole = {
  'package.json': manifest,
  'dist/index.js': 'export const one = 1\n',
  'dist/index.d.ts': 'export declare const one = 1\n',
}

async function lint(root: string): Promise<void> {
  await lintTarball(await pack(root, join(root, 'tarball')))
}

test('a tarball with all its files is in order', async t => {
  await t.notThrowsAsync(lint(tree(t, whole)))
})

test('a file that was not packed is found', async t => {
  await t.throwsAsync(lint(tree(t, { ...whole, 'package.json': { ...manifest, files: ['dist/*.d.ts'] } })), {
    message: /^publint failed/,
  })
})

test('declarations that lead to a file that was not packed are found', async t => {
  const root = tree(t, {
    ...whole,
    'dist/index.d.ts': "export type { Two } from './two.js'\nexport declare const one = 1\n",
  })
  await t.throwsAsync(lint(root), { message: /^attw failed/ })
})

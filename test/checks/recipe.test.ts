import { execFile } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { projectRoot } from './report.ts'
import { tree } from './tree.ts'

function recipe(t: ExecutionContext, ...args: string[]): Promise<{ failed: boolean; output: string }> {
  const root = tree(t, {
    'recipes/job-board/main.ts': "console.log('the job board')\n",
    'recipes/single-sign-on/main.ts': '',
    'recipes/unfinished/README.md': '',
  })
  cpSync(join(projectRoot, 'recipes/run.ts'), join(root, 'recipes/run.ts'))
  return new Promise(resolve => {
    execFile(process.execPath, [join(root, 'recipes/run.ts'), ...args], (failure, stdout, stderr) =>
      resolve({ failed: failure !== null, output: stdout + stderr }),
    )
  })
}

test('a recipe starts by its name', async t => {
  t.deepEqual(await recipe(t, 'job-board'), { failed: false, output: 'the job board\n' })
})

test('an unknown recipe, and none, are answered with those there are', async t => {
  const list = 'Start one with npm run recipe -- <name>: job-board, single-sign-on.\n'
  t.deepEqual(await recipe(t, 'unfinished'), { failed: true, output: `There is no recipe 'unfinished'.\n${list}` })
  t.deepEqual(await recipe(t, '../test'), { failed: true, output: `There is no recipe '../test'.\n${list}` })
  t.deepEqual(await recipe(t), { failed: true, output: `Which recipe?\n${list}` })
})

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const run = promisify(execFile)
const main = new URL('main.ts', import.meta.url)

/** What the menu and the page for employees are while the service is frozen. */
const FROZEN = {
  without: [/^Prices for guests\n[\s\S]*We cannot look up/, /<h1>One moment, please<\/h1>/],
  fail: [/<h1>One moment, please<\/h1>/, /<h1>One moment, please<\/h1>/],
} as const

for (const [mode, [menu, entry]] of Object.entries(FROZEN)) {
  test.serial(
    `It starts with its service, what it says to try does what it says ('${mode}'), and Ctrl-C ends both.`,
    async t => {
      process.env.ON_UNAVAILABLE = mode
      const { said, commands, shell, complaints, end } = await demonstrated(t, main)
      t.is(commands.length, 8, said + complaints())
      const [login, look, change, lookAgain, freeze, lookFrozen, enter, goOn] = commands as [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
      ]
      await shell(login)
      t.regex(await shell(look), /^Prices for Turbine hall\n/)
      t.is(await shell(change), '')
      t.regex(await shell(lookAgain), /^Prices for Control room\n/)
      await shell(freeze)
      t.regex(await shell(lookFrozen), menu)
      t.regex(await shell(enter), entry)
      await shell(goOn)
      t.regex(await shell(look), /^Prices for Control room\n/)

      t.deepEqual(await end(), [0, null])
      const line = 'profiles.employee: The profile service did not answer within 1000 ms.\n'
      t.is(complaints(), line + line)
      const pid = Number(/pid (\d+)/.exec(said)![1])
      t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    },
  )
}

test('A mode that there is not is told in words.', async t => {
  const env = { ...process.env, ON_UNAVAILABLE: 'wait', PORT: '0' }
  const error = await t.throwsAsync<Error & { stderr: string; code: number }>(
    run(process.execPath, ['--conditions=koa-strata:source', fileURLToPath(main)], { env }),
  )
  t.deepEqual([error.code, error.stderr], [1, 'ON_UNAVAILABLE can be fail or without.\n'])
})

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { demonstrated } from '../demonstrated.ts'

const run = promisify(execFile)
const main = new URL('main.ts', import.meta.url)

test.serial(
  'It starts a Cluster and three processes, what it says to try does what it says, and Ctrl-C ends all of it.',
  async t => {
    const { said, commands, shell, end } = await demonstrated(t, main)
    t.is(commands.length, 6, said)
    const [login, ...others] = commands as [string, ...string[]]
    const looks = others.slice(0, 3)
    const [kill, nodes] = others.slice(3) as [string, string]

    await shell(login)
    for (const [index, look] of looks.entries()) {
      const page = await shell(look)
      t.regex(page, new RegExp(`Made by process ${index + 1}\\.`))
      t.regex(page, new RegExp(`Logged in as ada\\. Looks since then: ${index + 1}`))
    }
    await shell(kill)
    // The one that was killed is known to have failed, and its slots have another.
    const failedOver = (list: string) =>
      /master,fail /.test(list) && list.match(/master - .* connected \d/g)?.length === 3
    while (!failedOver(await shell(nodes))) await wait(100)
    while (!/Logged in as ada\. Looks since then: \d/.test(await shell(looks[0]!))) await wait(100)

    t.deepEqual(await end(), [0, null])
    const pids = [...said.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
    t.is(pids.length, 6)
    for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  },
)

test.serial('A port that is taken is told in words, and nothing is left behind.', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const env = { ...process.env, PORT: String((taken.address() as AddressInfo).port) }
  const error = await t.throwsAsync<Error & { stderr: string; code: number }>(
    run(process.execPath, ['--conditions=koa-strata:source', fileURLToPath(main)], { env }),
  )
  t.is(error.code, 1)
  t.is(error.stderr, 'Something else listens there. Choose another port: PORT=3100\n')
})

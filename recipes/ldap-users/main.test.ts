import test from 'ava'
import { Attribute, Change, Client } from 'ldapts'
import { demonstrated } from '../demonstrated.ts'

const main = new URL('main.ts', import.meta.url)

/** What ldapmodify would do with the line that is printed for it. */
async function modify(line: string): Promise<void> {
  const said = (pattern: RegExp) => pattern.exec(line)![1]!
  const client = new Client({ url: said(/-H (\S+)/) })
  const change = new Change({
    operation: 'delete',
    modification: new Attribute({ type: said(/delete: (\w+)\\n/), values: [said(/\\nmember: ([^\\]+)\\n/)] }),
  })
  try {
    await client.bind(said(/-D (\S+)/), said(/-w (\S+)/))
    await client.modify(said(/dn: ([^\\]+)\\n/), change)
  } finally {
    await client.unbind()
  }
}

test('It starts with its slapd, what it says to try does what it says, and Ctrl-C ends all of it.', async t => {
  const { said, commands, shell, complaints, end } = await demonstrated(t, main)
  t.is(commands.length, 7, said + complaints())
  const [login, look, change, freeze, loginAsIda, lookAsIda, goOn] = commands as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ]

  await shell(login)
  t.regex(await shell(look), /<h1>Rota<\/h1>/)
  t.regex(change, /\| ldapmodify -x /)
  await modify(change)
  t.regex(await shell(look), /<h1>Not for you<\/h1>/)
  await shell(freeze)
  t.regex(await shell(look), /<h1>One moment, please<\/h1>/)
  await shell(loginAsIda)
  t.regex(await shell(lookAsIda), /<h1>Rota<\/h1>/)
  await shell(goOn)
  t.regex(await shell(look), /<h1>Not for you<\/h1>/)

  t.deepEqual(await end(), [0, null])
  t.is(complaints(), 'ldap: The directory did not answer within 2000 ms.\n')
  const pid = Number(/pid (\d+)/.exec(said)![1])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

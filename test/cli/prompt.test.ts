import test from 'ava'
import { sqlUsers } from 'koa-strata/sql'
import { assertNoSecret, OTHER_PASSWORD, PASSWORD } from './cli.ts'
import { urlDatabase } from './databases.ts'
import { cliOnTerminal, onTerminal } from './terminal.ts'

const ENTER = '\r'
const CTRL_C = '\u0003'
const BACKSPACE = '\u007f'
const FIRST = 'Password: '
const AGAIN = 'Password again: '

test('L9: on a terminal a password is asked for twice, and never shown.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const words = ['create-user', 'alice', '--database', url]
  const { code, shown } = await cliOnTerminal(t, words, [
    [FIRST, `${PASSWORD}xy${BACKSPACE}${BACKSPACE}${ENTER}`],
    [AGAIN, `${PASSWORD}${ENTER}`],
  ])
  t.is(code, 0, shown)
  assertNoSecret(t, shown)
  // Not even how long it is.
  t.is(shown.replaceAll('\r\n', '\n'), 'Password: \nPassword again: \nalice (sql:1) was made.\n')
  t.truthy(await sqlUsers(knex).authenticate({ username: 'alice', password: PASSWORD }))
})

test('The terminal of these tests shows what is typed to a program that does not hide it.', async t => {
  const { shown } = await onTerminal(
    t,
    ['bash', '-c', 'printf "Password: "; read -r typed'],
    [[FIRST, `${PASSWORD}\n`]],
  )
  t.true(shown.includes(PASSWORD))
})

test('Two passwords that differ are asked for again, and a name that is taken before any is asked for.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const words = ['create-user', 'alice', '--database', url]
  const { code, shown } = await cliOnTerminal(t, words, [
    [FIRST, `${PASSWORD}${ENTER}`],
    [AGAIN, `${OTHER_PASSWORD}${ENTER}`],
    [FIRST, `${OTHER_PASSWORD}${ENTER}`],
    [AGAIN, `${OTHER_PASSWORD}${ENTER}`],
  ])
  t.is(code, 0, shown)
  t.regex(shown, /The two are not the same/)
  assertNoSecret(t, shown)
  t.truthy(await sqlUsers(knex).authenticate({ username: 'alice', password: OTHER_PASSWORD }))
  const taken = await cliOnTerminal(t, words, [])
  t.is(taken.code, 3)
  t.notRegex(taken.shown, /Password/)
})

test('Ctrl-C and an empty line change nothing.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const words = ['create-user', 'alice', '--database', url]
  const stopped = await cliOnTerminal(t, words, [[FIRST, `${PASSWORD}${CTRL_C}`]])
  t.is(stopped.code, 130, stopped.shown)
  t.is((await cliOnTerminal(t, words, [[FIRST, '\u0004']])).code, 130)
  const empty = await cliOnTerminal(t, words, [[FIRST, ENTER]])
  t.is(empty.code, 3)
  assertNoSecret(t, stopped.shown + empty.shown)
  t.is((await knex('users').select()).length, 0)
})

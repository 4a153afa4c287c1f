import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { cli, cliJson, SERVER_PASSWORD, start } from './cli.ts'
import { urlDatabase } from './databases.ts'

const COMMANDS = [
  'migrate',
  'create-user',
  'set-password',
  'deactivate',
  'sessions',
  'revoke',
  'clear-sessions',
  'doctor',
]

test('Help is there for each command, in 80 columns, with examples and --json.', async t => {
  const { code, stdout } = await cli(t, ['--help'])
  t.is(code, 0)
  for (const one of COMMANDS) t.regex(stdout, new RegExp(`^  ${one} `, 'm'))
  const texts = await Promise.all(
    COMMANDS.map(async one => {
      const help = await cli(t, ['help', one])
      t.is(help.code, 0)
      t.regex(help.stdout, /^Examples:$/m)
      t.regex(help.stdout, /^ {2}--json /m)
      return help.stdout
    }),
  )
  for (const line of [stdout, ...texts].join('').split('\n')) t.true(line.length <= 80, line)
})

test('--version is the package’s.', async t => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
  t.deepEqual(await cli(t, ['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
})

test('Wrong usage ends with 2, says what is meant, and repeats no value that may be a secret.', async t => {
  const secret = SERVER_PASSWORD
  const wrong: [words: string[], said: RegExp][] = [
    [[], /^Usage: koa-strata/],
    [['creat-user', 'a'], /Did you mean create-user\?/],
    [['migrate', '--databas', 'x'], /unknown option '--databas'\n\(Did you mean --database\?\)/],
    [['create-user', 'a', `--password=${secret}`], /unknown option '--password'\n/],
    [['create-user', 'a', `--password=${secret}'\n${secret}`], /unknown option '--password'\n/],
    [['create-user', 'a', `-p${secret}`], /unknown option '-p'\n/],
    [['migrate', `--databse=mysql://u:${secret}@h/x`], /unknown option '--databse'/],
    [['migrate', '--database', 'mysql://u:%zz@h/x'], /is no URL/],
    [['create-user', 'a', secret], /Expected 1 argument but got 2\. Passwords are asked for/],
    [['create-user'], /missing required argument 'name'/],
    [['migrate'], /--database <url> or the variable DATABASE_URL/],
    [['migrate', '--database', `oracle://u:${secret}@h/x`], /'oracle:' is no database/],
    [['migrate', '--database', `mysql://u:${secret}@h/x`], /is no URL with a name at its end/],
    [['migrate', '--database', ':memory:'], /is a file here/],
    [['sessions', 'ldap:a', '--store', `ftp://${secret}`], /--store must be one of/],
    [['sessions', 'ldap:a', '--store', 'memcached://a:1,b:2'], /need the names/],
    [['sessions', 'ldap:a', '--store', 'file:./x', '--store-prefix', 'y'], /--store-prefix is for Redis/],
    [['sessions', '1:a', '--store', 'file:./x'], /is no key of a user/],
    [['sessions', 'a', '--idle-timeout', 'long'], /must be a number of days/],
    [['doctor', '--url', 'example.org'], /address of the site/],
  ]
  await Promise.all(
    wrong.map(async ([words, said]) => {
      const { code, stdout, stderr } = await cli(t, words)
      t.is(code, 2, words.join(' '))
      t.is(stdout, '')
      t.regex(stderr, said)
      t.notRegex(stderr, /^ {4}at /m)
    }),
  )
  const { code, json } = await cliJson(t, ['sessions', '--nonsense'])
  t.is(code, 2)
  t.is(json.error.code, 'USAGE')
})

test('A reader that goes before the end keeps no command from its work.', async t => {
  const { url, knex } = await urlDatabase(t, 'sqlite')
  const child = start(['create-user', 'alice', '--no-password', '--database', url])
  child.stdout.destroy()
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  t.is((await knex('users').select()).length, 1)
})

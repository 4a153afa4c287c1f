import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import knexFactory from 'knex'
import { demoAccounts } from '../../recipes/job-board/seed.ts'
import { type Credentials, startBoard, type TestBoard, temporaryDirectory } from '../../recipes/job-board/test-board.ts'
import { type Ran, requireProgram, runProgram } from './programs.ts'

const { ines, marta, sam } = demoAccounts
const CHALLENGE = /^www-authenticate: Basic realm="Job Board", charset="UTF-8"\r$/im

test('the password that the readers here send is not ASCII', t => {
  t.regex(ines.password, /[^\p{ASCII}]/u)
})

test('curl reads the private feeds with a password that is not ASCII, and keeps no cookie', async t => {
  const board = await startBoard(t.teardown)
  const jar = join(await temporaryDirectory(t.teardown), 'cookies')
  for (const extension of ['atom', 'rss', 'json']) {
    const { code, stdout } = await curl(board, `openings.${extension}`, ines, '--cookie-jar', jar)
    t.is(code, 0)
    t.regex(stdout, /^HTTP\/1\.1 200 /)
    t.regex(stdout, /Letterpress printer/)
    t.notRegex(stdout, /^set-cookie:/im)
  }
  t.regex((await curl(board, 'applications.json', marta)).stdout, /Inès Faye applies/)
  t.regex((await curl(board, 'activity.atom', sam)).stdout, /applied for/)
})

test('curl with a wrong password, and with none, gets 401 with the challenge', async t => {
  const board = await startBoard(t.teardown)
  const wrong = await curl(board, 'openings.atom', { ...ines, password: 'pässwörd' })
  t.regex(wrong.stdout, /^HTTP\/1\.1 401 /)
  t.regex(wrong.stdout, CHALLENGE)
  const none = await runProgram(requireProgram('curl'), [
    '--silent',
    '--include',
    `${board.origin}/feeds/openings.atom`,
  ])
  t.regex(none.stdout, /^HTTP\/1\.1 401 /)
  t.regex(none.stdout, CHALLENGE)
})

test('curl with the password of somebody of another kind gets 403', async t => {
  const board = await startBoard(t.teardown)
  const { stdout } = await curl(board, 'applications.atom', ines)
  t.regex(stdout, /^HTTP\/1\.1 403 /)
  t.notRegex(stdout, /^www-authenticate:/im)
})

for (const feed of ['openings.atom', 'openings.rss']) {
  test(`newsboat reads ${feed} with a password that is not ASCII, and then asks for changes only`, async t => {
    const board = await startBoard(t.teardown)
    const newsboat = await subscribe(t, board, ines, feed)
    await newsboat.reload()
    t.deepEqual(await newsboat.titles(), [
      'Baker, early shift, Leipzig',
      'Letterpress printer (Τυπογράφος), Θεσσαλονίκη',
      'Translator, Greek to English, remote',
    ])
    await newsboat.reload()
    await newsboat.reload()
    t.true(board.answers.includes(`304 /feeds/${feed}`), board.answers.join('\n'))

    const text = { title: 'Miller <b>', place: 'Halle', salary: '', description: 'Flour & water.' }
    await board.board.openings.post({ user_key: 'sql:1', company: 'Bäckerei Lindenhof', about: '' }, text)
    await newsboat.reload()
    t.is((await newsboat.titles()).length, 4)
    t.deepEqual(await board.database('sessions'), [], 'polls make no sessions')
  })
}

test('newsboat with a wrong password gets 401 and reads nothing', async t => {
  const board = await startBoard(t.teardown)
  const newsboat = await subscribe(t, board, { ...ines, password: 'pässwörd' }, 'openings.atom')
  await newsboat.reload()
  t.deepEqual(new Set(board.answers), new Set(['401 /feeds/openings.atom']))
  t.deepEqual(await newsboat.titles(), [])
})

/** Reads a feed, with the header of the answer before it. */
function curl(board: TestBoard, feed: string, { username, password }: Credentials, ...options: string[]): Promise<Ran> {
  const user = ['--user', `${username}:${password}`]
  return runProgram(requireProgram('curl'), [
    '--silent',
    '--include',
    ...user,
    ...options,
    `${board.origin}/feeds/${feed}`,
  ])
}

/** A newsboat of its own that follows a feed. */
async function subscribe(t: ExecutionContext, board: TestBoard, { username, password }: Credentials, feed: string) {
  const program = requireProgram('newsboat')
  const home = await temporaryDirectory(t.teardown)
  const [urls, cache, config] = ['urls', 'cache.db', 'config'].map(name => join(home, name)) as [string, string, string]
  const { protocol, host } = new URL(board.origin)
  await writeFile(
    urls,
    `${protocol}//${encodeURIComponent(username)}:${encodeURIComponent(password)}@${host}/feeds/${feed}`,
  )
  await writeFile(config, 'download-retries 1\nuse-proxy no\n')
  return {
    async reload(): Promise<void> {
      const options = ['-u', urls, '-c', cache, '-C', config, '-x', 'reload']
      const { code, stdout, stderr } = await runProgram(program, options, { ...process.env, HOME: home })
      if (code !== 0) throw new Error(`newsboat ended with ${code}: ${stdout}${stderr}`)
    },
    /** The titles of the entries that it has, in the order of the alphabet. */
    async titles(): Promise<string[]> {
      const database = knexFactory({
        client: 'better-sqlite3',
        connection: { filename: cache },
        useNullAsDefault: true,
      })
      try {
        return (await database('rss_item').pluck('title')).toSorted()
      } finally {
        await database.destroy()
      }
    },
  }
}

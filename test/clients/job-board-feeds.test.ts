import { join } from 'node:path'
import test from 'ava'
import { demoAccounts } from '../../recipes/job-board/seed.ts'
import { type Credentials, startBoard, type TestBoard, temporaryDirectory } from '../../recipes/job-board/test-board.ts'
import { type Ran, requireProgram, runProgram } from './programs.ts'

const { ines, marta, sam } = demoAccounts
const CHALLENGE = /^www-authenticate: Basic realm="Job Board", charset="UTF-8"\r$/im

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

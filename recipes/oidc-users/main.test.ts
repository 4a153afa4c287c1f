import test from 'ava'
import { demonstrated } from '../demonstrated.ts'
import { Browser } from './test-room.ts'

const main = new URL('main.ts', import.meta.url)

test('It starts with its provider, whose people can log in by what is printed, and Ctrl-C ends both.', async t => {
  const { said, complaints, end } = await demonstrated(t, main)
  const [origin, issuer] = said.match(/http:\/\/127\.0\.0\.1:\d+/g) as [string, string]
  const people = [...said.matchAll(/^ {2}(\S+) +(\S.*)$/gm)].filter(([line]) => !line.includes('http'))
  t.is(people.length, 2, said + complaints())
  for (const [, username, password] of people as unknown as [string, string, string][]) {
    const browser = new Browser({ origin })
    await browser.logIn({ username, password })
    t.not(await browser.greeting(), 'anonymous')
    const question = await browser.ask(`${issuer}/session/end`)
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(question.text)![1]!
    await browser.ask(`${issuer}/session/end/confirm`, { xsrf, logout: 'yes' })
    t.is(await browser.greeting(), 'anonymous')
  }
  t.deepEqual(await end(), [0, null])
  t.is(complaints(), '')
  for (const one of [origin, issuer]) await t.throwsAsync(fetch(one))
})

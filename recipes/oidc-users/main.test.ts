import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { Browser } from './test-room.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

test('It starts with its provider, whose people can log in by what is printed, and Ctrl-C ends both.', async t => {
  const child = spawn(process.execPath, ['--conditions=koa-strata:source', main], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  let complaints = ''
  child.stderr.on('data', data => {
    complaints += data
  })
  let said = ''
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`
    if (line.includes('Ctrl-C')) break
  }
  const [origin, issuer] = said.match(/http:\/\/127\.0\.0\.1:\d+/g) as [string, string]
  const people = [...said.matchAll(/^ {2}(\S+) +(\S.*)$/gm)].filter(([line]) => !line.includes('http'))
  t.is(people.length, 2, said + complaints)
  for (const [, username, password] of people as unknown as [string, string, string][]) {
    const browser = new Browser({ origin })
    await browser.logIn({ username, password })
    t.not(await browser.greeting(), 'anonymous')
    const question = await browser.ask(`${issuer}/session/end`)
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(question.text)![1]!
    await browser.ask(`${issuer}/session/end/confirm`, { xsrf, logout: 'yes' })
    t.is(await browser.greeting(), 'anonymous')
  }
  child.kill('SIGINT')
  t.deepEqual(await exit, [0, null])
  t.is(complaints, '')
  for (const one of [origin, issuer]) await t.throwsAsync(fetch(one))
})

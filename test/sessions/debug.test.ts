import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)
const program = new URL('debugged-app.ts', import.meta.url).pathname

/** Runs an app that puts this mark into everything that a session can hold, and answers what it printed and which ids there were. */
async function printed(mark: string, NODE_DEBUG: string): Promise<{ ids: string[]; lines: string[] }> {
  const args = ['--conditions=koa-strata:source', program, mark]
  const { stdout, stderr } = await run(process.execPath, args, { env: { ...process.env, NODE_DEBUG }, maxBuffer: 1e8 })
  return { ids: JSON.parse(stdout), lines: stderr.split('\n').filter(line => line.startsWith('KOA-SESSION')) }
}

test('L9: NODE_DEBUG=koa-session prints neither session data nor ids, whatever a request does with its session.', async t => {
  const { ids, lines } = await printed('secret-mark', 'koa-session*')
  // Otherwise nothing was looked at.
  t.true(lines.filter(line => /create session with data/.test(line)).length > 10)
  t.true(lines.filter(line => /save .* to external key/.test(line)).length > 5)
  t.true(ids.length >= 3)
  for (const line of lines) {
    t.notRegex(line, /secret-mark/)
    for (const id of ids) t.false(line.includes(id), line)
  }
})

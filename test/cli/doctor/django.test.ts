import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { sessions } from 'koa-strata'
import { type DjangoSessionsOptions, djangoSessions } from 'koa-strata/django'
import { inspect } from '../../../lib/cli/doctor/app.ts'
import { loginsOf } from '../../../lib/cli/doctor/card/facts.ts'
import { checkOwnCookies } from '../../../lib/cli/doctor/cookies.ts'
import { checkOwnStore } from '../../../lib/cli/doctor/stores.ts'
import { WIDE_DEADLINE } from '../../sessions/app.ts'

const NAMED = { isProduction: true, url: new URL('https://www.example') }

const inspected = (options: Partial<DjangoSessionsOptions>) => {
  const app = new Koa()
  const shared = djangoSessions({ secretKey: 'the-secret', cookie: { secure: true }, ...options })
  app.use(sessions({ ...shared, deadline: WIDE_DEADLINE }))
  return inspect(app)
}

async function folder(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test("The store of an app beside Django is looked at by one of Django's keys, and nothing of that stays.", async t => {
  const directory = await folder(t)
  const [{ status, message } = {}] = await checkOwnStore(inspected({ directory }).sessions[0]!, true)
  t.is(status, 'ok', message)
  t.regex(message!, /^The store of djangoSessions\(\) took, gave and removed a session/)
  t.deepEqual(await readdir(directory), [])
  const gone = await checkOwnStore(inspected({ directory: join(directory, 'none') }).sessions[0]!, true)
  t.is(gone[0]?.status, 'problem')
})

test('Where Django has sessions in cookies there is no store to look at.', async t => {
  const found = await checkOwnStore(inspected({ signedCookies: true }).sessions[0]!, true)
  t.deepEqual(
    found.map(({ status }) => status),
    ['skipped'],
  )
})

test("Its cookie is looked at as any other, and it is on no card: it is compared with Django's settings, by their owner.", t => {
  const app = inspected({ signedCookies: true })
  t.deepEqual(
    checkOwnCookies(app, NAMED).filter(({ status }) => status === 'problem'),
    [],
  )
  const bare = inspected({ signedCookies: true, cookie: { secure: false } })
  t.true(checkOwnCookies(bare, NAMED).some(({ status }) => status === 'problem'))
  t.deepEqual(loginsOf(app, 'salt', undefined), [])
})

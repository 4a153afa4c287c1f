import test from 'ava'
import { memoryStore, OptionInvalid } from 'koa-strata'
import { type RemoteUserOptions, remoteUser } from '../../lib/sharing/remote-user.ts'
import { remoteUsers } from '../../lib/sharing/remote-users.ts'
import { recorded } from '../sessions/app.ts'
import { PROXY, type ProxiedClient, STRANGER, startProxiedApp } from './proxied.ts'

const WRONG: [string, unknown, option: string][] = [
  ['nothing', undefined, 'options'],
  ['null', null, 'options'],
  ['no trust', {}, 'trust'],
  ['trust: null', { trust: null }, 'trust'],
  ['trust: true', { trust: true }, 'trust'],
  ['trust that is text', { trust: '127.0.0.1' }, 'trust'],
  ['nobody to trust', { trust: [] }, 'trust'],
  ['a network that is none', { trust: ['::1', '10.0.0.0/33'] }, 'trust[1]'],
  ['an empty header', { trust: ['unix'], header: '' }, 'header'],
  ['a header with an underscore', { trust: ['unix'], header: 'X_Remote_User' }, 'header'],
  ['a header with a colon', { trust: ['unix'], header: 'X-Remote-User:' }, 'header'],
  ['a header that is a number', { trust: ['unix'], header: 5 }, 'header'],
  ['a backend with a colon', { trust: ['unix'], backend: 'a:b' }, 'backend'],
  ['a backend that is an object', { trust: ['unix'], backend: remoteUsers() }, 'backend'],
  ['persistent: 1', { trust: ['unix'], persistent: 1 }, 'persistent'],
  ['clean: null', { trust: ['unix'], clean: null }, 'clean'],
  ['clean that is a pattern', { trust: ['unix'], clean: /x/ }, 'clean'],
  ['a misspelt option', { trust: ['unix'], trusted: [] }, 'trusted'],
]

for (const [what, options, option] of WRONG) {
  test(`X1: remoteUser() with ${what} is an OptionInvalid that names '${option}'.`, t => {
    const error = t.throws(() => remoteUser(options as RemoteUserOptions), { instanceOf: OptionInvalid })
    t.is(error.where, 'remoteUser()')
    t.is(error.option, option)
  })
}

const ALICE = 'X-Remote-User: alice'
const BOB = 'X-Remote-User: bob'

/** What a request says of its user, and whom the header names by it: nobody, or 'wrong' where it is to be refused. */
const HEADERS: Record<string, { lines: string[]; names: string | null }> = {
  'no header': { lines: [], names: null },
  'the header': { lines: [ALICE], names: 'alice' },
  "another name's header": { lines: [BOB], names: 'bob' },
  'the header in another case': { lines: ['x-rEMOTE-user: alice'], names: 'alice' },
  'an empty header': { lines: ['X-Remote-User:'], names: null },
  'a header of spaces': { lines: ['X-Remote-User: \t '], names: null },
  "Apache's (null)": { lines: ['X-Remote-User: (null)'], names: null },
  'the header twice': { lines: [ALICE, BOB], names: 'wrong' },
  'the header twice, the same': { lines: [ALICE, ALICE], names: 'wrong' },
  'the header twice, once empty': { lines: ['X-Remote-User:', ALICE], names: 'wrong' },
  'the header twice, in two cases': { lines: [ALICE, 'x-remote-user: bob'], names: 'wrong' },
  'the header and a twin with underscores': { lines: [ALICE, 'X_Remote_User: bob'], names: 'wrong' },
  'a twin with one underscore alone': { lines: ['x-remote_user: bob'], names: 'wrong' },
  'a twin with dots, empty': { lines: [ALICE, 'X.Remote.User:'], names: 'wrong' },
  'a tab in the name': { lines: ['X-Remote-User: al\tice'], names: 'wrong' },
  'a C1 control in the name': { lines: ['X-Remote-User: al\u0085ice'], names: 'wrong' },
  'a name of 1,025 bytes': { lines: [`X-Remote-User: ${'a'.repeat(1025)}`], names: 'wrong' },
}

const SESSIONS: Record<string, { key: string; begin(client: ProxiedClient): Promise<unknown> }> = {
  'no session': { key: '', begin: async () => {} },
  'a session by the header': { key: 'remote:alice', begin: client => client.whoIs(ALICE) },
  'a session by a form': { key: 'local:dave', begin: client => client.get('/login?u=dave&p=pw') },
}

/** Who the user is to be. */
function expectedKey(names: string | null, before: string, persistent: boolean): string {
  if (names !== null) return `remote:${names}`
  return before === 'remote:alice' && !persistent ? '' : before
}

for (const from of [PROXY, STRANGER]) {
  for (const [what, { lines, names }] of Object.entries(HEADERS)) {
    for (const [having, { key: before, begin }] of Object.entries(SESSIONS)) {
      for (const persistent of [false, true]) {
        const peer = from === PROXY ? 'the proxy' : 'a stranger'
        test(`X1: ${peer} sends ${what}, with ${having}${persistent ? ', persistent' : ''}.`, async t => {
          const store = recorded(memoryStore())
          const app = await startProxiedApp(t, { store, remote: { persistent } })
          const client = app.client()
          await begin(client)
          const cookie = client.cookie
          store.calls.length = 0

          const answer = await client.get('/me', { lines, from })
          if (from === PROXY && names === 'wrong') {
            t.is(answer.status, 400)
            t.is(app.errors[0]!.code, 'REMOTE_USER_INVALID')
            t.regex(answer.text, /^The header X-Remote-User /)
            t.false(store.calls.some(call => call !== 'read'))
            t.is(client.cookie, cookie)
            return
          }
          const after = expectedKey(from === PROXY ? names : null, before, persistent)
          t.is(answer.status, 200)
          t.is(JSON.parse(answer.text).key, after)
          if (after === before) {
            t.deepEqual(answer.setCookies, [])
            t.false(store.calls.some(call => call !== 'read'))
          } else {
            t.is(answer.setCookies.length, 1)
            t.not(client.cookie, cookie)
            // The session there was has ended on the server.
            const copy = app.client()
            copy.cookie = cookie
            t.is(JSON.parse((await copy.get('/me', { from: STRANGER })).text).key, '')
          }
        })
      }
    }
  }
}

import test from 'ava'
import fc from 'fast-check'
import { DjangoSessionForm } from '../../lib/django/session-form.ts'
import { DjangoKeys, DjangoSigning } from '../../lib/django/signing.ts'
import { DjangoSettingUnsupported } from '../../lib/errors.ts'
import { newContent, parseContent } from '../../lib/sessions/content.ts'
import type { SessionData } from '../../lib/sessions/store.ts'
import { scaled } from '../scale.ts'
import { type Django, startDjango } from '../servers/django.ts'
import { file } from '../servers/file-owner.ts'

const SECRET = 'the-secret-of-the-site'
const NOW = Date.UTC(2026, 10, 22, 10, 0, 0)
const MODEL = 'django.contrib.auth.backends.ModelBackend'
const LDAP = 'django_auth_ldap.backend.LDAPBackend'

const signing = new DjangoSigning(
  new DjangoKeys('test()', { secretKey: SECRET }),
  'django.contrib.sessions.SessionStore',
)
const form = new DjangoSessionForm(signing, { backend: 'django', authenticationBackends: [MODEL, 'site.MailBackend'] })
const signed = (json: string) => signing.dumps(Buffer.from(json, 'latin1'), NOW)
const jsonOf = (text: string) => signing.loads(text)!.payload.toString('latin1')
const read = (json: string): SessionData => form.read(signed(json))!.data
/** What Django would have after this change to what it had. */
const changed = (json: string, change: (data: SessionData) => SessionData) =>
  jsonOf(form.write(change(read(json)), NOW))

let django: Django
test.before(async () => {
  django = await startDjango(file, { secretKey: SECRET, migrate: false })
})

test('What Django has in a session is data here, and what is data here Django has.', async t => {
  const session = {
    text: 'Ä ☃ 🦊 \u2028 \u0000 \ud83d " \\ שלום',
    nested: { list: [1, 2.5, null, true, { deep: ['é'] }], empty: {}, none: [] },
    number: -0.1,
    '': 'empty name',
    length: 3,
    constructor: 'x',
    _underscore: 1,
  }
  const theirs = await django.run(
    `from django.contrib.sessions.backends.db import SessionStore
store = SessionStore()
answer({'read': store.decode(given['ours']), 'written': store.encode(given['session'])})`,
    { ours: form.write({ _created: 5, ...session }, Date.now()), session },
  )
  const { read: byThem, written } = theirs as { read: object; written: string }
  t.deepEqual(byThem, session as object)
  const { data } = form.read(written)!
  t.deepEqual({ ...data }, { ...data, ...session, _created: 0 })
  t.is(jsonOf(form.write(data, NOW)), jsonOf(written))
})

test('What ctx.session cannot hold stays as it was, unseen, through any change.', t => {
  const kept =
    '"big":12345678901234567890,"nan":NaN,"inf":[-Infinity],"__proto__":{"x":1},"_ended":true,"_login":1,"inside":{"toJSON":1}'
  const data = read(`{${kept},"seen":1}`)
  t.deepEqual(Object.keys(data), ['_created', 'seen'])
  t.is(typeof parseContent(data), 'object')
  t.is(
    changed(`{${kept},"seen":1}`, data => ({ ...data, seen: 2, added: [1] })),
    `{${kept},"seen":2,"added":[1]}`,
  )
})

test('A value that is not changed is written as the text it came as.', t => {
  const json = '{"float":1.0,"small":1e-7,"spaced": { "a" : [ 1 ] },"escaped":"\\u0041\\/","changed":1.0}'
  t.is(
    changed(json, data => ({ ...data, float: 1, changed: 2 })),
    '{"float":1.0,"small":1e-7,"spaced":{ "a" : [ 1 ] },"escaped":"\\u0041\\/","changed":2}',
  )
})

test('What cannot be held is replaced where the application sets it, and what is deleted is gone.', t => {
  t.is(
    changed('{"big":12345678901234567890,"gone":1,"kept":2}', ({ gone, ...data }) => ({ ...data, big: 'a text' })),
    '{"big":"a text","kept":2}',
  )
})

test('Any data comes back as it was, with whatever Django had beside it.', t => {
  const names = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'toString', 'length', 'a'))
  const values = fc.dictionary(names, fc.jsonValue({ depthSize: 'small', maxDepth: 8 }), { noNullPrototype: true })
  t.notThrows(() =>
    fc.assert(
      fc.property(values, values, (before, after) => {
        const had = form.read(form.write({ _created: 0, ...before }, NOW))!.data
        const written = form.read(form.write({ ...had, ...after }, NOW))!.data
        const expected = { ...had, ...after }
        return Object.keys(written).every(
          name => name.startsWith('_') || JSON.stringify(written[name]) === JSON.stringify(expected[name]),
        )
      }),
      { numRuns: scaled(20_000) },
    ),
  )
})

const AUTH = `"_auth_user_id":"7","_auth_user_backend":"${MODEL}","_auth_user_hash":"abc"`

test("Django's login is a login by the backend of its users, and is written back as it was.", t => {
  const data = read(`{${AUTH},"kept":1}`)
  t.deepEqual(data, { ...data, _created: 0, _login: { backend: 'django', id: '7', stamp: 'abc.' }, kept: 1 })
  t.is(
    changed(`{${AUTH}}`, data => data),
    `{${AUTH}}`,
  )
})

test('A login here is one that Django knows, by the first of its backends.', t => {
  const data = newContent(NOW, { backend: 'django', id: '8', stamp: 'def.' })
  t.is(jsonOf(form.write(data, NOW)), `{"_auth_user_id":"8","_auth_user_backend":"${MODEL}","_auth_user_hash":"def"}`)
})

test('Who logged in by another of its backends is still logged in by that after a change, and another user by the first.', t => {
  const json = `{"_auth_user_id":"7","_auth_user_backend":"site.MailBackend","_auth_user_hash":"abc"}`
  t.is(
    changed(json, data => ({ ...data, _login: { ...data._login, stamp: 'new.' } })),
    json.replace('abc', 'new'),
  )
  t.is(
    changed(json, data => ({ ...data, _login: { ...data._login, id: '9' } })),
    json.replace('site.MailBackend', MODEL).replace('"7"', '"9"'),
  )
})

test('A login by a backend that does not count here is nobody known, and stays as it was beside what a guest stores.', t => {
  const json = `{"_auth_user_id":"7","_auth_user_backend":"${LDAP}","_auth_user_hash":"abc","theirs":1}`
  t.is(read(json)._login.backend, LDAP)
  const after = changed(json, data => ({ ...data, _guest: { seen: 1 } }))
  t.deepEqual(JSON.parse(after), { ...JSON.parse(json), _strata_guest: { seen: 1 } })
  t.deepEqual(read(after)._guest, { seen: 1 })
})

test('A login of a detached user is under a name that Django does not look at, and what vouches for a login is too.', t => {
  const login = { backend: 'ldap', id: 'uid=ada ☃', stamp: 'x.y', snapshot: { username: 'ada' }, via: 'proxy' }
  const text = form.write(newContent(NOW, login), NOW)
  t.deepEqual(JSON.parse(jsonOf(text)), { _strata_login: login })
  t.deepEqual(form.read(text)!.data._login, login)
  const known = { backend: 'django', id: '7', stamp: 'abc.', via: 'proxy' }
  const ofTheirs = form.write(newContent(NOW, known), NOW)
  t.deepEqual(JSON.parse(jsonOf(ofTheirs)), { ...JSON.parse(`{${AUTH}}`), _strata_via: 'proxy' })
  t.deepEqual(form.read(ofTheirs)!.data._login, known)
})

test("Where Django logged somebody in on top of a detached user's login, theirs counts, and the other is gone at the next change.", t => {
  const json = `{"_strata_login":{"backend":"ldap","id":"ada","stamp":"x"},${AUTH}}`
  t.deepEqual(read(json)._login, { backend: 'django', id: '7', stamp: 'abc.' })
  t.is(
    changed(json, data => ({ ...data, added: 1 })),
    `{"added":1,${AUTH}}`,
  )
})

test('A logout leaves nothing of a login, whoever had made it.', t => {
  const json = `{${AUTH},"_strata_login":{},"_strata_via":"x","_strata_guest":{"a":1},"kept":1}`
  t.is(
    changed(json, ({ _login, _guest, ...data }) => data),
    '{"kept":1}',
  )
})

test('A pickled session is an error that names the setting to change.', async t => {
  const pickled = (await django.run(
    `from django.core import signing
import pickle
class Pickles:
    def dumps(self, obj): return pickle.dumps(obj, given)
    def loads(self, data): return pickle.loads(data)
answer([signing.dumps({'a': 'b' * size}, salt='django.contrib.sessions.SessionStore', serializer=Pickles, compress=True) for size in (1, 999)])`,
    4,
  )) as string[]
  t.is(pickled.length, 2)
  for (const text of pickled) {
    const error = t.throws(() => form.read(text), { instanceOf: DjangoSettingUnsupported })
    t.is(error?.setting, 'SESSION_SERIALIZER')
    t.regex(error!.message, /Set SESSION_SERIALIZER to 'django\.contrib\.sessions\.serializers\.JSONSerializer'/)
    t.false(error!.expose)
  }
})

for (const [what, text] of [
  ['text that nobody signed', 'eyJhIjoxfQ:1tjnZU:xxx'],
  ['a signed list', signed('[1]')],
  ['a signed text that is no JSON', signed('hello')],
  ['nothing', ''],
] as const)
  test(`T2: ${what} is no session.`, t => {
    t.is(form.read(text), null)
  })

for (const login of ['1', '"x"', '[]', '{"backend":"ldap"}', '{"backend":1,"id":"x","stamp":""}'])
  test(`T2: a session whose own login is ${login} is corrupt, and no error.`, t => {
    t.is(parseContent(read(`{"_strata_login":${login}}`)), 'corrupt')
  })

for (const id of ['7', 'null', '{"a":1}', '[]', '""'])
  test(`T2: a session of Django's whose user's id is ${id}, and no text, is no error.`, t => {
    const content = parseContent(read(`{"_auth_user_id":${id},"_auth_user_backend":${id},"_auth_user_hash":${id}}`))
    t.is(typeof content, 'object')
  })

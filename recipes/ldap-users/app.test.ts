import { inspect } from 'node:util'
import test from 'ava'
import { Attribute, Change } from 'ldapts'
import { scaled } from '../../test/scale.ts'
import { PEOPLE } from './example.ts'
import { DEADLINE, IDA, startRota, type TestRota, Visitor } from './test-rota.ts'

const GRACE = 'uid=grace,ou=people,dc=example,dc=org'
const READERS = 'cn=rota-readers,ou=groups,dc=example,dc=org'

function replace(site: TestRota, dn: string, type: string, ...values: string[]): Promise<void> {
  const change = new Change({ operation: 'replace', modification: new Attribute({ type, values }) })
  return site.administrate(client => client.modify(dn, change))
}

test('People of the directory log in by their name, by another name of theirs and by their address, in any script.', async t => {
  const site = await startRota(t)
  for (const name of ['grace', 'GRACE', 'grace@example.org', ' grace ']) {
    t.is(await (await Visitor.loggedIn(site, name, PEOPLE.grace)).greeting(), 'Grace Keeper')
  }
  for (const name of ['noor', 'نورة', 'noor@example.org']) {
    const noor = await Visitor.loggedIn(site, name, PEOPLE.noor)
    t.is(await noor.greeting(), 'نورة الحربي')
    t.is(await noor.rota(), 200)
  }
  const ida = await Visitor.loggedIn(site, IDA.username, IDA.password)
  t.is(await ida.greeting(), 'ida')
  t.is(await ida.rota(), 200)
})

test('A wrong password, an unknown name, somebody who is locked and what is no name get the same answer.', async t => {
  const site = await startRota(t)
  const page = async (username: string, password: string) => {
    const response = await new Visitor(site).send('/login', { username, password })
    const text = await response.text()
    return { status: response.status, text: text.replace(/value="[^"]*"/g, 'value') }
  }
  const wrong = await page('grace', 'wrong')
  t.is(wrong.status, 401)
  t.regex(wrong.text, /Nobody has this name and password/)
  const others = [
    ['nobody', PEOPLE.grace!],
    ['sam', PEOPLE.sam!],
    ['grace', ''],
    ['', PEOPLE.grace!],
    [GRACE, PEOPLE.grace!],
    ['cn=rota,ou=services,dc=example,dc=org', 'rota service demo'],
    ['rota', 'rota service demo'],
    ['grace', `${PEOPLE.grace} `],
    ['\0', PEOPLE.grace!],
  ]
  for (const [username, password] of others) t.deepEqual(await page(username!, password!), wrong, username)
})

test('Names that are filters or patterns are names: nobody has them.', async t => {
  const site = await startRota(t)
  const names = [
    '*',
    'g*',
    '*)(uid=*',
    'grace)(uid=*',
    'grace)(|(uid=*',
    '\\67race',
    'grace\\2a',
    '*)(objectClass=*)',
    'g\\00',
  ]
  for (const name of names) t.is(await new Visitor(site).logIn(name, PEOPLE.grace!), 401, name)
  await site.administrate(client =>
    client.add('uid=paren,ou=people,dc=example,dc=org', {
      objectClass: 'inetOrgPerson',
      uid: ['paren', '*)(uid=*'],
      cn: 'Paren',
      sn: 'Paren',
      userPassword: 'parentheses',
    }),
  )
  t.is(await (await Visitor.loggedIn(site, '*)(uid=*', 'parentheses')).greeting(), 'Paren')
})

test('Where two people would go by one name, a name comes before an address, and two of a kind log nobody in.', async t => {
  const site = await startRota(t)
  await replace(site, 'uid=ines,ou=people,dc=example,dc=org', 'mail', 'grace')
  t.is(await (await Visitor.loggedIn(site, 'grace')).greeting(), 'Grace Keeper')
  t.is(await new Visitor(site).logIn('grace', PEOPLE.ines!), 401)
  await replace(site, 'uid=ines,ou=people,dc=example,dc=org', 'mail', 'grace@example.org')
  t.is(await new Visitor(site).logIn('grace@example.org', PEOPLE.grace!), 401)
  t.is(await new Visitor(site).logIn('grace@example.org', PEOPLE.ines!), 401)
})

test('R2: Whoever leaves the group gets 403 at the next request, whoever joins it gets in.', async t => {
  const site = await startRota(t)
  const [grace, ines] = [await Visitor.loggedIn(site, 'grace'), await Visitor.loggedIn(site, 'ines')]
  t.deepEqual([await grace.rota(), await ines.rota()], [200, 403])
  await replace(site, READERS, 'member', 'uid=ines,ou=people,dc=example,dc=org')
  t.deepEqual([await grace.rota(), await ines.rota()], [403, 200])
  t.is(await grace.greeting(), 'Grace Keeper')
})

test('Groups elsewhere in the directory, and names that objects have of themselves, give nothing.', async t => {
  const site = await startRota(t)
  const member = 'uid=ines,ou=people,dc=example,dc=org'
  await site.administrate(async client => {
    const groups = 'ou=groups,dc=example,dc=org'
    await client.add(`ou=others,${groups}`, { objectClass: 'organizationalUnit', ou: 'others' })
    const group = { objectClass: 'groupOfNames', member }
    await client.add(`cn=rota-readers,ou=others,${groups}`, { ...group, cn: 'rota-readers' })
    await client.add(`cn=constructor,${groups}`, { ...group, cn: 'constructor' })
  })
  t.is(await (await Visitor.loggedIn(site, 'ines')).rota(), 403)
})

test('Whoever is deleted or locked is anonymous at the next request.', async t => {
  const site = await startRota(t)
  const [grace, noor] = [await Visitor.loggedIn(site, 'grace'), await Visitor.loggedIn(site, 'noor')]
  await site.administrate(client => client.del(GRACE))
  await replace(site, 'uid=noor,ou=people,dc=example,dc=org', 'pwdAccountLockedTime', '000001010000Z')
  for (const visitor of [grace, noor]) {
    t.is(await visitor.greeting(), 'anonymous')
    t.is(await visitor.rota(), 303)
  }
  t.is(await new Visitor(site).logIn('grace', PEOPLE.grace!), 401)
})

test('Somebody new by an old name is somebody else.', async t => {
  const site = await startRota(t)
  const grace = await Visitor.loggedIn(site, 'grace')
  await site.administrate(async client => {
    await client.del(GRACE)
    await client.add(GRACE, {
      objectClass: 'inetOrgPerson',
      uid: 'grace',
      cn: 'Another',
      sn: 'A',
      userPassword: 'another one',
    })
  })
  t.is(await grace.greeting(), 'anonymous')
  const another = await Visitor.loggedIn(site, 'grace', 'another one')
  t.is(await another.greeting(), 'Another')
  t.is(await another.rota(), 403, 'the groups went with the first one')
})

test('Somebody who is renamed and moved is still who they are, logged in and in their group.', async t => {
  const site = await startRota(t)
  const grace = await Visitor.loggedIn(site, 'grace')
  await site.administrate(client => client.modifyDN(GRACE, 'uid=grace.keeper,ou=people,dc=example,dc=org'))
  await replace(site, 'uid=grace.keeper,ou=people,dc=example,dc=org', 'cn', 'Grace "<i>" Keeper')
  t.is(await grace.greeting(), 'Grace &#34;&#60;i&#62;&#34; Keeper')
  t.is(await grace.rota(), 200)
})

test('S4: A new password in the directory ends the sessions, another telephone number does not.', async t => {
  const site = await startRota(t)
  const grace = await Visitor.loggedIn(site, 'grace')
  await replace(site, GRACE, 'telephoneNumber', '123')
  t.is(await grace.greeting(), 'Grace Keeper')
  await replace(site, GRACE, 'userPassword', 'fresh paint 12')
  t.is(await grace.greeting(), 'anonymous')
  t.is(await new Visitor(site).logIn('grace', PEOPLE.grace!), 401)
  t.is(await (await Visitor.loggedIn(site, 'grace', 'fresh paint 12')).rota(), 200)
})

test('X3: Somebody of the directory is never taken for the local user of the same name or address.', async t => {
  const site = await startRota(t)
  await site.administrate(client =>
    client.add('uid=ida,ou=people,dc=example,dc=org', {
      objectClass: 'inetOrgPerson',
      uid: 'ida',
      cn: 'Ida of the directory',
      sn: 'I',
      mail: IDA.email,
      userPassword: 'another ida 88',
    }),
  )
  for (const name of [IDA.username, IDA.email]) {
    const other = await Visitor.loggedIn(site, name, 'another ida 88')
    t.is(await other.greeting(), 'Ida of the directory')
    t.is(await other.rota(), 403)
  }
  t.is(await (await Visitor.loggedIn(site, IDA.username, IDA.password)).greeting(), 'ida')
})

test('L5: While the directory is down, its people get 503 and everybody else is served; it is back as soon as the directory is.', async t => {
  const site = await startRota(t)
  const [grace, ida] = [await Visitor.loggedIn(site, 'grace'), await Visitor.loggedIn(site, 'ida', IDA.password)]
  await site.slapd.server.kill()
  const refused = await grace.send('/')
  t.is(refused.status, 503)
  t.is(refused.headers.get('retry-after'), '2')
  t.regex(await refused.text(), /Accounts are unavailable at the moment/)
  t.is(await new Visitor(site).logIn('grace', PEOPLE.grace!), 503)
  t.is(await new Visitor(site).logIn('grace', 'wrong'), 503, 'nobody can say that it is wrong')
  t.is(await ida.rota(), 200)
  t.is(await new Visitor(site).logIn('ida', IDA.password), 303)
  t.is(await new Visitor(site).greeting(), 'anonymous')
  await site.slapd.server.restart()
  t.is(await grace.greeting(), 'Grace Keeper')
  t.is(await grace.rota(), 200)
})

test('A directory that is frozen is 503 within the deadline, however many wait, and goes on where it was.', async t => {
  const site = await startRota(t)
  const grace = await Visitor.loggedIn(site, 'grace')
  site.slapd.server.signal('SIGSTOP')
  t.teardown(() => site.slapd.server.signal('SIGCONT'))
  const began = performance.now()
  const looks = Array.from({ length: 20 }, () => grace.greeting())
  const logins = Array.from({ length: 5 }, () => new Visitor(site).logIn('grace', PEOPLE.grace!))
  t.is(await new Visitor(site).logIn('ida', IDA.password), 303)
  t.deepEqual(new Set(await Promise.all(looks)), new Set(['503']))
  t.deepEqual(new Set(await Promise.all(logins)), new Set([503]))
  t.is(await grace.greeting(), '503')
  const took = performance.now() - began
  t.log(`${Math.round(took)} ms for 20 looks and 5 logins at once, and one look more`)
  t.true(took < 10 * DEADLINE)
  site.slapd.server.signal('SIGCONT')
  t.is(await grace.greeting(), 'Grace Keeper')
  t.is(await new Visitor(site).logIn('grace', PEOPLE.grace!), 303)
})

const polls = scaled(2000)
test(`${polls} looks and failed logins leave one connection to the directory, and none when it is closed.`, async t => {
  const site = await startRota(t)
  const people = await Promise.all(['grace', 'noor', 'ines'].map(name => Visitor.loggedIn(site, name)))
  for (let count = 0; count < polls; count += people.length) {
    await Promise.all(people.map(person => person.greeting()))
    if (count % 50 === 0) await site.directory.authenticate('grace', `wrong ${count}`)
  }
  t.is(await site.connections(), 1)
  await site.directory.close()
  t.is(await site.connections(), 0)
  t.is(await people[0]!.greeting(), 'Grace Keeper', 'it is opened again for whoever asks')
})

test('L9: No password is in an event, in an error or in what is printed.', async t => {
  const site = await startRota(t, {
    directory: { account: { dn: 'cn=rota,ou=services,dc=example,dc=org', password: 'service secret' } },
  })
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
  const told: unknown[] = site.errors
  const listen = (message: unknown) => told.push(message)
  for (const name of ['koa-strata:backend-error', 'koa-strata:login-failed']) {
    subscribe(name, listen)
    t.teardown(() => unsubscribe(name, listen))
  }
  t.is(await new Visitor(site).logIn('grace', 'grace secret'), 503, 'the service account may not look anybody up')
  await site.slapd.server.kill()
  t.is(await new Visitor(site).logIn('grace', 'grace secret'), 503)
  t.true(told.length >= 4)
  t.notRegex(inspect(told, { depth: Infinity, showHidden: true }), /secret/)
})

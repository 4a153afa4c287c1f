import { once } from 'node:events'
import net from 'node:net'
import { pipeline } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { Client } from 'ldapts'
import type { SlapdOptions } from '../../test/servers/slapd.ts'
import { Directory, type DirectoryOptions } from './directory.ts'
import { exampleDirectory, PEOPLE, startDirectory } from './example.ts'

const GRACE = 'uid=grace,ou=people,dc=example,dc=org'

function opened(t: ExecutionContext, url: string, options: Partial<DirectoryOptions> = {}): Directory {
  const directory = new Directory({ ...exampleDirectory(url), ...options })
  t.teardown(() => directory.close())
  return directory
}

async function started(t: ExecutionContext, options: Partial<SlapdOptions> = {}) {
  const slapd = await startDirectory(t, options)
  return { ...slapd, url: slapd.server.url }
}

/** A server that is none: it answers the first thing that is said to it with this, or all things, and keeps what it was told. */
async function pretend(t: ExecutionContext, answer: Uint8Array, { once: isOnce = false } = {}) {
  const heard: Buffer[] = []
  const sockets = new Set<net.Socket>()
  let taken = 0
  const server = net
    .createServer(socket => {
      taken++
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      socket.on('data', data => {
        heard.push(data)
        if (answer.length > 0 && !(isOnce && socket.bytesWritten > 0)) socket.write(answer)
      })
    })
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `ldap://127.0.0.1:${(server.address() as net.AddressInfo).port}`, heard, sockets, taken: () => taken }
}

test('What the directory knows of a person is what a person is.', async t => {
  const { url } = await started(t)
  const directory = opened(t, url)
  const noor = await directory.authenticate('نورة', PEOPLE.noor!)
  t.regex(noor!.id, /^[\da-f-]{36}$/)
  t.deepEqual(
    { ...noor, id: '' },
    { id: '', username: 'noor', name: 'نورة الحربي', email: 'noor@example.org', stamp: '', groups: ['rota-readers'] },
  )
  t.deepEqual(await directory.find(noor!.id), noor)
  for (const id of ['', '*', '00000000-0000-0000-0000-000000000000', `${noor!.id})(uid=*`])
    t.is(await directory.find(id), null)
})

test('An empty password logs nobody in, though the server would let it pass as a bind.', async t => {
  const { url } = await started(t, { global: 'allow bind_anon_dn' })
  const client = new Client({ url })
  await t.notThrowsAsync(client.bind(GRACE, ''), 'the control: this server takes it for a bind that went well')
  await client.unbind()
  const directory = opened(t, url)
  t.is(await directory.authenticate('grace', ''), null)
  t.is(await directory.authenticate('', PEOPLE.grace!), null)
  t.is((await directory.authenticate('grace', PEOPLE.grace!))?.username, 'grace')
})

test('The person does not have to be read by themselves: the service account reads, and no passwords.', async t => {
  const { url } = await started(t)
  const client = new Client({ url })
  const { dn, password } = exampleDirectory(url).account
  await client.bind(dn, password)
  const { searchEntries } = await client.search(GRACE, { scope: 'base', attributes: ['uid', 'userPassword'] })
  t.deepEqual(searchEntries, [{ dn: GRACE, uid: 'grace', userPassword: [] }])
  await client.unbind()
})

test('A service account that is not let in is a failure, and nobody has a wrong password.', async t => {
  const { url } = await started(t)
  const account = { ...exampleDirectory(url).account, password: 'wrong' }
  const directory = opened(t, url, { account })
  await t.throwsAsync(directory.authenticate('grace', PEOPLE.grace!), {
    message: `The directory did not let ${account.dn} in.`,
  })
  await t.throwsAsync(directory.find('00000000-0000-0000-0000-000000000000'), {
    message: `The directory did not let ${account.dn} in.`,
  })
})

test('It speaks TLS by STARTTLS and by ldaps, lets go of each connection, and takes no certificate that nobody it trusts has signed.', async t => {
  const slapd = await started(t, { tls: true, database: '\ndatabase monitor\naccess to * by * read' })
  const { ca, url: ldaps } = slapd.tls!
  for (const url of [slapd.url, ldaps]) {
    const directory = opened(t, url, { startTls: true, tls: { ca } })
    t.is((await directory.authenticate('grace', PEOPLE.grace!))?.username, 'grace', url)
    t.is(await directory.authenticate('grace', 'wrong'), null)
    await directory.close()
    const stranger = opened(t, url, { startTls: true })
    await t.throwsAsync(stranger.authenticate('grace', PEOPLE.grace!), { message: /self-signed/ }, url)
    const other = opened(t, url.replace('127.0.0.1', 'localhost'), { startTls: true, tls: { ca } })
    await t.throwsAsync(other.authenticate('grace', PEOPLE.grace!), { message: /does not match|ECONNREFUSED/ }, url)
  }
  const client = new Client({ url: slapd.url })
  await client.bind(slapd.administrator.dn, slapd.administrator.password)
  const count = async () => {
    const { searchEntries } = await client.search('cn=Current,cn=Connections,cn=Monitor', {
      attributes: ['monitorCounter'],
    })
    return Number(searchEntries[0]!.monitorCounter)
  }
  // The server may see later than this process that a connection is closed.
  while ((await count()) > 1) await new Promise(resolve => setImmediate(resolve))
  t.is(await count(), 1)
  await client.unbind()
})

test('Without TLS on the other side nothing is said but the question for it, unless told otherwise.', async t => {
  // ExtendedResponse to message 2: protocolError.
  const refusal = Uint8Array.of(0x30, 12, 2, 1, 2, 0x78, 7, 10, 1, 2, 4, 0, 4, 0)
  const { url, heard } = await pretend(t, refusal)
  const directory = opened(t, url, { startTls: undefined })
  await t.throwsAsync(directory.authenticate('grace', PEOPLE.grace!))
  t.is(heard.length, 1)
  t.true(heard[0]!.includes('1.3.6.1.4.1.1466.20037'))
})

test('A connection that nobody uses is closed, and the next question has another one.', async t => {
  const { url } = await started(t)
  const { port } = new URL(url)
  const through = new Set<net.Socket>()
  const proxy = net
    .createServer(socket => {
      through.add(socket)
      socket.on('close', () => through.delete(socket))
      pipeline(socket, net.connect(Number(port), '127.0.0.1'), socket, () => {})
    })
    .listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  const address = proxy.address() as net.AddressInfo
  const directory = opened(t, `ldap://127.0.0.1:${address.port}`, { idleTimeout: 50 })
  for (const _ of [1, 2]) {
    t.is(await directory.find('1'), null)
    t.is(through.size, 1)
    await once([...through][0]!, 'close')
  }
})

const accepted = Uint8Array.of(0x30, 12, 2, 1, 2, 0x78, 7, 10, 1, 0, 4, 0, 4, 0)
const failures: Record<string, [answer: Uint8Array, options?: { once: boolean }]> = {
  'says nothing': [new Uint8Array()],
  'agrees to STARTTLS and says nothing more': [accepted, { once: true }],
  'agrees to STARTTLS and goes on with something else': [accepted],
  'says what is no LDAP': [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
}
for (const [what, pretence] of Object.entries(failures)) {
  for (const startTls of [true, false]) {
    test(`A server that ${what} is a failure within the deadline ${startTls ? 'with' : 'without'} STARTTLS; nothing stays open, and it is tried anew.`, async t => {
      const { url, sockets, taken } = await pretend(t, ...pretence)
      const directory = opened(t, url, { startTls, deadline: 200 })
      const began = performance.now()
      const closed = () =>
        Promise.all([...sockets].map(socket => new Promise<void>(resolve => socket.once('close', () => resolve()))))
      await t.throwsAsync(directory.authenticate('grace', PEOPLE.grace!))
      await closed()
      await Promise.all([t.throwsAsync(directory.find('1')), t.throwsAsync(directory.find('2'))])
      await closed()
      t.is(taken(), 2, 'those who ask at once share a connection')
      await directory.close()
      t.true(performance.now() - began < 5000)
    })
  }
}

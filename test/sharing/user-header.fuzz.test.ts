import type { IncomingMessage } from 'node:http'
import test from 'ava'
import fc from 'fast-check'
import { RemoteUserInvalid } from 'koa-strata'
import { readUserHeader } from '../../lib/sharing/user-header.ts'
import { LONG, scaled } from '../scale.ts'
import { startProxiedApp } from './proxied.ts'

const HEADER = 'X-Remote-User'

/** Bytes as Node takes them in the value of a header. */
const fieldBytes = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }), fc.constant(9)), {
    maxLength: 60,
  })
  .map(bytes => Buffer.from(bytes))
const texts = fc.oneof(
  fieldBytes,
  fc.string({ unit: 'grapheme', maxLength: 40 }).map(text => Buffer.from(text.replace(/\p{Cc}/gu, ''))),
  fc.constantFrom('', '(null)', '__proto__', 'a'.repeat(1024), 'a'.repeat(1025), '\u2028', '\ufeff').map(Buffer.from),
)
const names = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(HEADER, 'x-remote-user') },
  fc.constantFrom('X_Remote_User', 'X-Remote_User', 'X.Remote.User', 'X-Remote-Users', 'X-Remote', 'Remote-User'),
)

test('X1: whatever a header holds, it is a name that can be an id, nobody, or refused: nothing else.', t => {
  t.timeout(LONG)
  fc.assert(
    fc.property(fc.array(fc.tuple(names, texts), { maxLength: 3 }), fields => {
      const rawHeaders = fields.flatMap(([name, bytes]) => [name, bytes.toString('latin1')])
      const ours = fields.filter(([name]) => name.replace(/[^a-z]/gi, '-').toLowerCase() === 'x-remote-user')
      const spelt = ours.every(([name]) => name.toLowerCase() === 'x-remote-user')
      let read: string | null | undefined
      try {
        read = readUserHeader({ rawHeaders } as unknown as IncomingMessage, HEADER)
      } catch (error) {
        if (!(error instanceof RemoteUserInvalid) || error.status !== 400) throw error
      }
      if (ours.length > 1 || !spelt) return read === undefined
      if (ours.length === 0) return read === null
      if (typeof read !== 'string') return true
      return read !== '' && read.isWellFormed() && Buffer.byteLength(read) <= 1024 && !/\p{Cc}/u.test(read)
    }),
    { numRuns: scaled(100_000) },
  )
  t.pass()
})

test('X1: no bytes of a header are answered with an error of the server, and one name is one user.', async t => {
  t.timeout(LONG)
  const app = await startProxiedApp(t)
  const counts = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(names, texts), { maxLength: 2 }), async fields => {
      const lines = fields.map(([name, bytes]) => Buffer.concat([Buffer.from(`${name}: `), bytes]))
      const client = app.client()
      const [first, second] = [await client.get('/me', { lines }), await client.get('/me', { lines })]
      counts.set(first.status, (counts.get(first.status) ?? 0) + 1)
      return (
        [200, 400].includes(first.status) &&
        second.status === first.status &&
        second.setCookies.length === 0 &&
        (first.status === 400 || JSON.parse(first.text).key === JSON.parse(second.text).key)
      )
    }),
    { numRuns: scaled(5000) },
  )
  t.true(counts.get(200)! > 0 && counts.get(400)! > 0)
})

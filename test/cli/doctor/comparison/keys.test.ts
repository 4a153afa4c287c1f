import test from 'ava'
import { compareKeys } from '../../../../lib/cli/doctor/comparison/keys.ts'
import { bothWays, compared, deployment, drawn, KEYS } from '../deployment.ts'

const [A, B, C] = ['a', 'b', 'c']

test('Keys are one login’s where each knows the key by which the other signs.', t => {
  const cases: [own: (string | null)[], other: (string | null)[], statuses: string[], said: RegExp][] = [
    [[A], [A], ['ok'], /shop: the same key\.$/],
    [[A, B], [A, B], ['ok'], /the same 2 keys/],
    [[A, B, C], [A, C, B], ['ok'], /the same 3 keys/],
    [
      [A],
      [B],
      ['problem', 'problem'],
      /keys\[0\], which signs here, is unknown there: .+\n.+ keys\[0\], which signs there, is unknown here/,
    ],
    [[B, A], [A], ['problem'], /keys\[0\], which signs here, is unknown there/],
    [[A], [B, A], ['problem'], /keys\[0\], which signs there, is unknown here/],
    [[B, A], [A, B], ['warning'], /keys\[0\] here is keys\[1\] there, and keys\[0\] there is keys\[1\] here/],
    [[A, C, B], [B, A, C], ['warning'], /keys\[0\] here is keys\[1\] there, and keys\[0\] there is keys\[2\] here/],
    [[A, B], [A], ['warning'], /keys\[1\] here is unknown there/],
    [[A], [A, B, C], ['warning'], /keys\[1\], keys\[2\] there is unknown here/],
    [[B, A], [A, B, C], ['warning', 'warning'], /keys\[2\] there is unknown here/],
    [[A, null], [A], ['ok'], /the same/],
    [[null], [A], ['skipped'], /no key that signs here/],
    [[A], [], ['skipped'], /no key that signs there/],
  ]
  for (const [own, other, statuses, said] of cases) {
    const found = compareKeys('shop', own, other)
    t.deepEqual(
      found.map(({ status }) => status),
      statuses,
      `${own} and ${other}`,
    )
    t.regex(found.map(({ message }) => message).join('\n'), said)
  }
})

test('Keys are compared whichever way they are given, as text or bytes, to sessions() or to the app.', async t => {
  const keys = KEYS.slice(0, 2)
  const bytes = deployment({ keys: keys.map(key => Buffer.from(key)) })
  t.deepEqual(await bothWays(deployment({ keys }), bytes, 'shared keys'), [['ok'], ['ok']])
  const byApp = deployment({ keys: undefined })
  byApp.app.keys = keys
  t.deepEqual(await bothWays(deployment({ keys }), byApp, 'shared keys'), [['ok'], ['ok']])
  const byBoth = deployment({ keys })
  byBoth.app.keys = [KEYS[2]!]
  t.deepEqual(await bothWays(byBoth, byApp, 'shared keys'), [['ok'], ['ok']], 'those of sessions() count')
  t.deepEqual(await bothWays(deployment({ keys: [KEYS[2]!] }), byApp, 'shared keys'), [
    ['problem', 'problem'],
    ['problem', 'problem'],
  ])
})

test('A key that is too short to sign has no fingerprint.', async t => {
  const own = deployment({ keys: undefined })
  own.app.keys = ['short', KEYS[0]!]
  const { card } = await drawn(own)
  t.is(card.logins[0]?.keys[0], null)
  t.like(await compared(own, card, 'shared keys'), { length: 1, 0: { status: 'skipped' } })
})

test('Fingerprints of one key differ between cards.', async t => {
  const own = deployment()
  const [one, other] = [await drawn(own), await drawn(own)]
  t.not(one.card.logins[0]!.keys[0], other.card.logins[0]!.keys[0])
})

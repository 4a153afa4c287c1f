import test from 'ava'
import { canonicalForm } from '../../../lib/users/canonical.ts'
import { accountOf, networkOf } from '../../../lib/users/throttle/whereabouts.ts'

const NETWORKS: Record<string, string[]> = {
  '192.0.2.1': [
    '192.0.2.1',
    '::ffff:192.0.2.1',
    '::FFFF:c000:0201',
    '0:0:0:0:0:ffff:192.0.2.1',
    '64:ff9b::192.0.2.1',
    '192.0.2.1:4711',
    '[::ffff:192.0.2.1]:4711',
  ],
  '192.0.2.2': ['192.0.2.2'],
  '2001:db8:1:2::/64': [
    '2001:db8:1:2::1',
    '2001:db8:1:2:ffff:ffff:ffff:ffff',
    '2001:0DB8:0001:0002:0000:0000:0000:0001',
    '[2001:db8:1:2::9]:443',
    '[2001:db8:1:2::9]',
    '2001:db8:1:2::1%eth0',
  ],
  '2001:db8:1:3::/64': ['2001:db8:1:3::1'],
  '2001:db8:0:0::/64': ['2001:db8::1', '2001:db8::'],
  '0:0:0:0::/64': ['::1', '::', '::192.0.2.1'],
  'fe80:0:0:0::/64': ['fe80::1%lo', 'fe80::abcd'],
  unknown: ['', 'unknown', '_hidden', '192.0.2.256', '192.0.2.1.5', '2001:db8:::1', 'a'.repeat(10_000), '%', '[', '[]'],
}

for (const [network, addresses] of Object.entries(NETWORKS)) {
  test(`L4: The network of ${addresses.slice(0, 3).join(', ')} … is ${network}.`, t => {
    for (const address of addresses) t.is(networkOf(address), network, address)
  })
}

test('L4: Names that have one canonical form are one account, and so are those that differ in what directories overlook.', t => {
  const spellings = [
    'José',
    'jose',
    'JOSÉ',
    'ｊｏｓｅ',
    'jose\u0301',
    ' jose ',
    'jo\u200bse',
    'jo se',
    'jose\0',
    'j\u00adose',
  ]
  t.is(new Set(spellings.map(accountOf)).size, 1)
  t.is(accountOf('admın'), accountOf('ADMIN'))
  t.not(accountOf('jose'), accountOf('josef'))
  for (const name of ['ΑΣ', 'ﬁ', 'Ǆ', 'ß', 'ẞ', 'İ', '①', '𝒜'])
    t.is(accountOf(name), accountOf(canonicalForm(name)), name)
})

test('L4: An account is told by a hash, whatever was typed as a name, of whatever length.', t => {
  for (const name of ['', 'alice', '\ud800', '\u0000', 'ﷺ'.repeat(100_000), 'x'.repeat(5_000_000)]) {
    t.regex(accountOf(name), /^[\w-]{43}$/)
  }
  t.not(accountOf('alice'), 'alice')
})

import test from 'ava'
import fc from 'fast-check'
import { OptionInvalid, UserInvalid } from '../../lib/errors.ts'
import { canonicalForm } from '../../lib/users/canonical.ts'
import { type PasswordPolicyOptions, settlePasswordPolicy } from '../../lib/users/password-policy.ts'
import { commonPasswords } from '../../lib/users/passwords/common.ts'
import { sqlUsers } from '../../lib/users/sql/users.ts'
import { migratedDatabase } from '../database/servers.ts'
import { scaled } from '../scale.ts'

const OWN = ['Ada Lovelace', 'ada.l@analytical-engine.example'] as const

function policy(options: PasswordPolicyOptions = {}) {
  return settlePasswordPolicy('sqlUsers()', options)
}

for (const [what, password] of Object.entries({
  'of 15 characters': 'fifteen-letters',
  'of several words': 'correct horse battery staple',
  'of words that are all common by themselves': 'dragon monkey sunshine',
  'of another script': 'четыре слова подряд',
  'of 15 CJK characters': '山路を登りながらこう考えた智に働',
  'of emoji': '🐌🌧🎷🪁🧀🚲🌵🔦🧊🦉🎲📎🐫🫖🪵',
  'of marks alone': '8#;?!%&+*~^°|<>',
  'of digits that nobody expects': '839201746583920',
  'of a sentence that is said twice': 'what I tell you, what I tell you, ',
  'with a common word in it': 'my password is not this',
  'with the own name in it': 'ada-demo-password',
  'of 4,096 bytes': fc.sample(fc.string({ minLength: 4096, maxLength: 4096, unit: 'grapheme-ascii' }), {
    numRuns: 1,
    seed: 1,
  })[0]!,
})) {
  test(`A password ${what} is taken.`, async t => {
    t.is(await policy().problem(password, OWN), null)
  })
}

for (const [what, passwords, says] of [
  ['too short', ['short', 'fourteen chars', 'é'.repeat(14).normalize('NFD'), '🐌🌧🎷🪁'], /at least 15 characters/],
  ['none', ['', 15, null, undefined, {}, ['correct horse battery staple']], /choose a password/],
  ['too long or not well-formed', ['x'.repeat(4097), '☃'.repeat(1366), `lone surrogate \ud800`], /4,096 bytes/],
  [
    'common',
    [
      'passwordpassword',
      '1qaz2wsx3edc4rfv',
      'PassWord PassWord',
      'ｐａｓｓｗｏｒｄpassword',
      'ⓟⓐⓢⓢⓦⓞⓡⓓpassword',
      'p-a-s-s-w-o-r-d',
      'password1234567',
      '   dragon   1990',
      '!!!trustno1trustno1!!!',
    ],
    /Many people/,
  ],
  [
    'a repetition',
    [
      'aaaaaaaaaaaaaaa',
      'abcabcabcabcabc',
      'xk7-xk7-xk7-xk7-',
      'xK7 Xk7 xK7 xk7 x',
      'qlf8+2w=qlf8+2w=',
      '☃☃☃☃☃☃☃☃☃☃☃☃☃☃☃',
      '111111111111112',
      'abbaabbabaababba',
      'ыфжыфжыфжыфжыфж',
    ],
    /repeats/,
  ],
  [
    'a run',
    [
      '123456789012345',
      '098765432109876',
      'abcdefghijklmnop',
      'onmlkjihgfedcba',
      'qwertyuiopasdfgh',
      'QWERTZUIOPÜASDF',
      'абвгдежзийклмно',
      'йцукенгшщзхъфыв',
      'abc123def456ghi',
      '123-456-789-012-345',
      '１２３４５６７８９０１２３４５',
      '!@#$%^&*()!@#$%^',
      '112233445566778899',
    ],
    /follow one another/,
  ],
  [
    "the person's own",
    [
      'Ada Lovelace 1815',
      'adalovelaceadalovelace',
      'ADA.L@analytical-engine.example',
      'ada.l.ada.l.ada.l.ada.l',
      'analytical-engine',
      'LovelaceLovelace',
      'lovelace12101815',
    ],
    /name or the e-mail address/,
  ],
] as const) {
  for (const password of passwords) {
    const shown = JSON.stringify(password)?.slice(0, 40)
    test(`A password that is ${what} is refused in words for a form: ${shown}.`, async t => {
      const problem = await policy().problem(password, OWN)
      t.regex(problem ?? 'taken', says)
      if (typeof password === 'string' && password !== '') t.false(problem!.includes(password))
    })
  }
}

test('W4: Every common password is refused, at any length, case and number of times.', async t => {
  const common = [...(await commonPasswords())]
  t.true(common.length > 40_000)
  const lenient = policy({ minimumLength: 8 })
  const strict = policy()
  for (const [at, word] of common.entries()) {
    if ([...word].length < 8) continue
    if (at % 10 === 0) t.truthy(await lenient.problem(word.toUpperCase(), []), word)
    if (at % 10 === 1) t.truthy(await strict.problem(word.repeat(2), []), word)
  }
})

test('The list of common passwords is in canonical form already, and read once.', async t => {
  const common = await commonPasswords()
  t.deepEqual(
    [...common].filter(word => canonicalForm(word) !== word),
    [],
  )
  t.is(await commonPasswords(), common)
})

test('W4: The least length can be set, and counts code points of the composed form.', async t => {
  const eight = policy({ minimumLength: 8 })
  t.is(await eight.problem('Crème b8'.normalize('NFD'), OWN), null)
  t.regex((await eight.problem('Crème b'.normalize('NFD'), OWN))!, /at least 8 characters/)
  t.is(await policy({ minimumLength: 9 }).problem('🐌🌧🎷🪁🧀🚲🌵🔦🧊', OWN), null)
  t.regex((await policy({ minimumLength: 9 }).problem('🐌🌧🎷🪁🧀🚲🌵🔦', OWN))!, /at least 9 characters/)
  t.regex((await policy({ minimumLength: 64 }).problem('correct horse battery staple', OWN))!, /at least 64/)
})

for (const [what, options] of Object.entries({
  'a minimumLength of 7': { minimumLength: 7 },
  'a minimumLength of 1,025': { minimumLength: 1025 },
  'a minimumLength that is no whole number': { minimumLength: 15.5 },
  'a minimumLength that is not a number': { minimumLength: '15' },
  'a minimumLength of NaN': { minimumLength: Number.NaN },
  'a blocked that is a list': { blocked: ['secret'] },
  'an unknown option': { minLength: 15 },
})) {
  test(`At construction ${what} is refused.`, t => {
    const error = t.throws(() => policy(options as PasswordPolicyOptions), { instanceOf: OptionInvalid })
    t.regex(error.message, /^sqlUsers\(\)/)
    t.regex(error.message, new RegExp(Object.keys(options)[0]!))
  })
}

test('W4: An application blocks further passwords: it is asked last, with the composed form.', async t => {
  const asked: string[] = []
  const own = policy({
    blocked: async password => {
      asked.push(password)
      return password.startsWith('analytical')
    },
  })
  t.regex((await own.problem('analytical machines'.normalize('NFD'), []))!, /must not be used here/)
  t.is(await own.problem('brûlée machines'.normalize('NFD'), []), null)
  for (const refused of ['short', 'passwordpassword', '', 7]) t.truthy(await own.problem(refused, []))
  t.deepEqual(asked, ['analytical machines', 'brûlée machines'.normalize('NFC')])
  t.truthy(await policy({ blocked: () => true }).problem('correct horse battery staple', []))
})

test('What blocked() throws reaches who sets the password.', async t => {
  const failure = new Error('the breach service is down')
  const throwing = policy({
    blocked: () => {
      throw failure
    },
  })
  t.is(await t.throwsAsync(throwing.problem('correct horse battery staple', [])), failure)
  const rejecting = policy({ blocked: () => Promise.reject(failure) })
  t.is(await t.throwsAsync(rejecting.problem('correct horse battery staple', [])), failure)
})

test('Names that are no text, or empty, or of a megabyte refuse no password and cost nothing.', async t => {
  const own = [7, null, undefined, {}, '', 'x', '@', '😀', 'a'.repeat(2 ** 20), '\ud800'] as const
  t.is(await policy().problem('correct horse battery staple', own), null)
})

test('Any text as password and as name is judged without an error, and the answer never holds the password.', async t => {
  const strict = policy()
  const words = fc.constantFrom('password', 'ada', '123', 'qwerty', 'a', '☃', ' ', '\0', 'ﷺ', '\ud800')
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words, { maxLength: 40 }).map(some => some.join('')),
  )
  const property = fc.asyncProperty(text, fc.array(text, { maxLength: 3 }), async (password, own) => {
    const problem = await strict.problem(password, own)
    return problem === null || [...password].length < 15 || !problem.includes(password)
  })
  await t.notThrowsAsync(fc.assert(property, { numRuns: scaled(20_000) }))
})

test('W4: sqlUsers() asks it of whoever gives a password, and stores nothing where it is refused or cannot be judged.', async t => {
  const { knex } = await migratedDatabase(t, 'sqlite')
  const failure = new Error('the breach service is down')
  const people = sqlUsers(knex, {
    passwords: {
      minimumLength: 12,
      blocked: password => (password.includes('unheard') ? Promise.reject(failure) : password.startsWith('analytical')),
    },
  })
  const { id } = await people.create({ username: 'ada', email: 'lovelace@example.org', password: 'twelve words' })
  const before = await knex('users').select()
  for (const password of ['eleven word', 'passwordpassword', 'lovelaceLOVELACE', 'analytical engine']) {
    const created = people.create({ username: 'bob', email: 'lovelace@example.com', password })
    const refused = await t.throwsAsync(created, { instanceOf: UserInvalid })
    t.deepEqual(Object.keys(refused!.fields), ['password'])
    t.deepEqual(
      (await t.throwsAsync(people.setPassword(id, password), { instanceOf: UserInvalid }))!.fields,
      refused!.fields,
    )
  }
  t.is(await t.throwsAsync(people.create({ username: 'bob', password: 'yet unheard of' })), failure)
  t.is(await t.throwsAsync(people.setPassword(id, 'yet unheard of')), failure)
  t.deepEqual(await knex('users').select(), before)
  await people.setPassword(id, 'some other words')
  t.notDeepEqual(await knex('users').select(), before)
})

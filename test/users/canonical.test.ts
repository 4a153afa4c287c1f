import test from 'ava'
import fc from 'fast-check'
import { canonicalForm, canonicalLogin, emailProblem, usernameProblem } from '../../lib/users/canonical.ts'
import { scaled } from '../scale.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 40 })

test('L3: case, width and compatibility forms of a name have one canonical form', t => {
  for (const [typed, canonical] of [
    ['ADMIN', 'admin'],
    ['aDmIn', 'admin'],
    ['ａｄｍｉｎ', 'admin'],
    ['ＡＤＭＩＮ', 'admin'],
    ['𝐚𝐝𝐦𝐢𝐧', 'admin'],
    ['ⓐⓓⓜⓘⓝ', 'admin'],
    ['\u212aelvin', 'kelvin'],
    ['ſam', 'sam'],
    ['ﬁona', 'fiona'],
    ['ZOE\u0308', 'zoë'],
    ['Ангелина', 'ангелина'],
    // Only the small letter has a composed form.
    ['H\u0331', '\u1e96'],
    ['\u1e96', '\u1e96'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευσ'],
    ['οδυσσευς', 'οδυσσευσ'],
    ['ΣΣ', 'σσ'],
    ['STRAẞE', 'straße'],
  ] as const) {
    t.is(canonicalForm(typed), canonical, typed)
  }
})

test('L3: lookalikes of a name have another canonical form', t => {
  for (const typed of [
    'ádmin',
    'admın',
    'admİn',
    'ADMİN',
    'admin ',
    'ad\u200bmin',
    'аdmin',
    'admi\u0307n',
    'adm1n',
    'strasse',
  ]) {
    t.not(canonicalForm(typed), 'admin', typed)
  }
  t.not(canonicalForm('straße'), canonicalForm('strasse'))
})

test('L3: of all code points only compatibility forms of I become i: not the dotless, nor the dotted one', t => {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const char = String.fromCodePoint(code)
    if (canonicalForm(char) !== 'i') continue
    t.regex(char.normalize('NFKC'), /^[iI]$/, code.toString(16))
  }
  t.not(canonicalForm('İ'), 'i')
  t.is(canonicalForm('ı'), 'ı')
})

test('L3: a letter is lower-cased by itself, whatever stands beside it', t => {
  t.is(canonicalForm('ΑΣ'), 'ασ')
  t.is(canonicalForm('ΑΣ Β'), 'ασ β')
  // Whole texts know a final sigma.
  t.is('ΑΣ'.toLowerCase(), 'ας')
})

test('L3: the canonical form of each code point is its own canonical form', t => {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    for (const text of [String.fromCodePoint(code), `a${String.fromCodePoint(code)}\u0323\u0307`]) {
      const canonical = canonicalForm(text)
      if (canonicalForm(canonical) !== canonical) t.fail(code.toString(16))
    }
  }
  t.pass()
})

test('L3: a canonical form is its own canonical form, and that of every normal form of the text', t => {
  fc.assert(
    fc.property(anyText, text => {
      const canonical = canonicalForm(text)
      return (
        canonicalForm(canonical) === canonical &&
        (['NFC', 'NFD', 'NFKC', 'NFKD'] as const).every(form => canonicalForm(text.normalize(form)) === canonical)
      )
    }),
    { numRuns: scaled(100_000) },
  )
  t.pass()
})

test('L3: a name that may be chosen can be typed to log in, and keeps all rules in its canonical form', t => {
  fc.assert(
    fc.property(anyText, text => {
      if (usernameProblem(text, null) !== null) return true
      const canonical = canonicalForm(text)
      return canonicalLogin(text) === canonical && !/[@:\p{Cc}\p{Cf}]|^\s|\s$/u.test(canonical) && canonical !== ''
    }),
    { numRuns: scaled(100_000) },
  )
  t.pass()
})

for (const name of [
  'a',
  'Zoë',
  'O’Neil',
  'Ада Лавлейс',
  '山田太郎',
  'a.b-c_d+e',
  'x'.repeat(150),
  '😀'.repeat(150),
  "'; drop table users; --",
]) {
  test(`A user may be called ${name.slice(0, 30)}`, t => {
    t.is(usernameProblem(name, null), null)
  })
}

for (const [what, name, words] of [
  ['no text', 5, /text/],
  ['nothing', undefined, /text/],
  ['an array', ['admin'], /text/],
  ['empty', '', /choose/],
  ['151 characters', 'x'.repeat(151), /150/],
  ['151 characters beyond the first plane', '😀'.repeat(151), /150/],
  ['a megabyte', 'x'.repeat(2 ** 20), /150/],
  ['longer than the column when it is canonical', 'ﷺ'.repeat(15), /too long/],
  ['a lone surrogate', 'a\udc00', /seen/],
  ['NUL in it', 'admin\0', /seen/],
  ['a line break in it', 'ad\nmin', /seen/],
  ['a zero-width space in it', 'ad\u200bmin', /seen/],
  ['a soft hyphen in it', 'ad\u00admin', /seen/],
  ['a right-to-left override in it', 'ad\u202emin', /seen/],
  ['a variation selector in it', 'admin\ufe0f', /seen/],
  ['a Hangul filler for a name', '\u3164', /seen/],
  ['a tag character in it', 'admin\u{e0041}', /seen/],
  ['a space before it', ' admin', /space/],
  ['a space after it', 'admin ', /space/],
  ['a no-break space after it', 'admin\u00a0', /space/],
  ['an ideographic space after it', 'admin\u3000', /space/],
  ['a character before it that stands for a space and an accent', '\u00b4admin', /space/],
  ['a colon in it', 'ad:min', /':'/],
  ['a wide colon in it', 'ad：min', /':'/],
  ['an at sign in it', 'admin@example.org', /'@'/],
  ['a wide at sign in it', 'admin＠example.org', /'@'/],
] as const) {
  test(`A user's name is refused with words for a form: ${what}`, t => {
    t.regex(usernameProblem(name, 'own@example.org') ?? '', words)
  })
}

test("A user's name may be the user's own e-mail address, in any writing of it", t => {
  t.is(usernameProblem('Ada@Example.org', 'ada@example.org'), null)
  t.is(usernameProblem('ada＠example.org', 'ada@example.org'), null)
  t.not(usernameProblem('bob@example.org', 'ada@example.org'), null)
  t.not(usernameProblem('ada@example.org', null), null)
  t.not(usernameProblem('ada@example.org', ['ada@example.org']), null)
})

for (const address of ['a@b', 'Ada.Lovelace+post@Example.ORG', 'josé@exämple.org', `${'x'.repeat(242)}@example.org`]) {
  test(`A user may have the e-mail address ${address.slice(-40)}`, t => {
    t.is(emailProblem(address), null)
  })
}

for (const [what, address] of [
  ['no text', 5],
  ['empty', ''],
  ['without an at sign', 'ada'],
  ['nothing before the at sign', '@example.org'],
  ['nothing behind the at sign', 'ada@'],
  ['two at signs', 'ada@bob@example.org'],
  ['a second at sign that is wide', 'ada＠bob@example.org'],
  ['white space', 'ada @example.org'],
  ['white space after it', 'ada@example.org '],
  ['a line break', 'ada@example.org\nBcc: eve@example.org'],
  ['a colon', 'ada:b@example.org'],
  ['NUL', 'ada@example.org\0'],
  ['a zero-width joiner', 'ad\u200da@example.org'],
  ['a lone surrogate', 'ada\ud800@example.org'],
  ['255 characters', `${'x'.repeat(243)}@example.org`],
] as const) {
  test(`An e-mail address is refused with words for a form: ${what}`, t => {
    t.regex(emailProblem(address) ?? '', /e-mail address/)
  })
}

for (const typed of [
  '',
  '\0',
  'admin\0',
  '\ud800',
  'x'.repeat(256),
  'x'.repeat(2 ** 20),
  'ﷺ'.repeat(15),
  'ad\u200bmin',
]) {
  test(`L3: no user can be meant by ${JSON.stringify(typed.slice(0, 12))} of ${typed.length}`, t => {
    t.is(canonicalLogin(typed), null)
  })
}

import { createRequire } from 'node:module'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Knex } from 'knex'
import type { MappedSqlUsers } from '../../../lib/users/sql/users.ts'
import { DATABASES, type DatabaseName } from '../../database/servers.ts'
import { LONG } from '../../scale.ts'

const argon2 = createRequire(import.meta.url)('@node-rs/argon2')
const cheap = (password: string): Promise<string> => argon2.hash(password, { memoryCost: 8, timeCost: 1 })
const OTHER_HASH = await cheap('of nobody')

// Nobody's hash, which is verified for names that nobody has, is as expensive as any; here one as cheap as the others stands in for it. It is
// put there before the library takes hold of the function.
const { verify } = argon2
argon2.verify = (hash: string, ...rest: unknown[]) => verify(hash.endsWith('A'.repeat(43)) ? OTHER_HASH : hash, ...rest)
const { canonicalForm } = await import('../../../lib/users/canonical.ts')
const { ALL_COLUMNS, FEW_COLUMNS, LAX, ownTable } = await import('./own-table.ts')
const { database, PASSWORD, spelt } = await import('./people.ts')

/** Cheap to verify, so that many can be tried. */
const HASH = await cheap(PASSWORD)

/** What people may look like. Each is tried as somebody's name, and as somebody's address. */
const NAME = 'admin'
const ADDRESS = 'admin@example.org'

/** Those that a database has been seen to take for 'admin', and more of their kind. */
const KNOWN = [
  'ADMIN',
  'Admin',
  'ádmin',
  'admın',
  'ADMİN',
  'admİn',
  'ａdmin',
  'admin ',
  'admin  ',
  ' admin',
  'admin\t',
  'admin\n',
  'admin\u00a0',
  'ad\u200bmin',
  'admin\u200d',
  'admin\ufeff',
  'ad\u00admin',
  'admin\0',
  'аdmin',
  'adm1n',
  'a\u0301dmin',
  'admin\u0300',
]

/** Pieces that collations, or eyes, take for a letter or for nothing. */
const PIECES = [
  ...[
    '',
    ' ',
    '  ',
    '\t',
    '\n',
    '\0',
    '\u00a0',
    '\u2003',
    '\u3000',
    '\u200b',
    '\u200c',
    '\u200d',
    '\u2060',
    '\ufeff',
    '\u00ad',
  ],
  ...['\u0300', '\u0301', '\u0307', '\u0323', '\u034f', '\u0489', '\ufe0f', '\u180e', '\u1160', '\u{e0061}'],
  ...[
    'a',
    'A',
    'á',
    'Á',
    'ä',
    'å',
    'ａ',
    'Ａ',
    'ª',
    'ᵃ',
    'ⓐ',
    '𝐚',
    'а',
    'А',
    'α',
    'ɑ',
    'ᴀ',
    'd',
    'D',
    'ď',
    'đ',
    'ð',
    'ｄ',
    'ԁ',
    'ⅾ',
    'ⅆ',
  ],
  ...[
    'm',
    'M',
    'ｍ',
    'м',
    'ⅿ',
    'rn',
    'ṃ',
    'i',
    'I',
    'ı',
    'İ',
    'í',
    'î',
    'ｉ',
    'і',
    'ⅰ',
    'ℹ',
    'l',
    '1',
    '|',
    'n',
    'N',
    'ñ',
    'ｎ',
    'ո',
    'ⁿ',
    'ŉ',
  ],
  ...[
    '@',
    '＠',
    '﹫',
    '.',
    '。',
    '․',
    '﹒',
    'e',
    'é',
    'ｅ',
    'ℯ',
    'x',
    'х',
    '×',
    'p',
    'р',
    'o',
    'о',
    'ο',
    '0',
    'º',
    'r',
    'g',
    'ɡ',
    'ﬃ',
    'ß',
    'ſ',
    'ς',
  ],
]

/** A name, changed in one to three places. */
const lookalikeOf = (name: string) =>
  fc
    .array(
      fc.record({
        at: fc.nat(name.length),
        removed: fc.constantFrom(0, 1, 1, 2),
        piece: fc.oneof(
          { weight: 9, arbitrary: fc.constantFrom(...PIECES) },
          fc.string({ unit: 'binary', maxLength: 2 }),
        ),
      }),
      { minLength: 1, maxLength: 3 },
    )
    .map(changes =>
      changes.reduce((text, { at, removed, piece }) => text.slice(0, at) + piece + text.slice(at + removed), name),
    )
const lookalike = fc.oneof(lookalikeOf(NAME), lookalikeOf(ADDRESS))

interface Setting {
  knex: Knex
  people: MappedSqlUsers
  login: string
}

type Setup = (t: ExecutionContext, name: DatabaseName) => Promise<Setting>

const own: Setup = async (t, name) => {
  const { knex, people } = await database(t, name)
  await people.create({ username: NAME, email: ADDRESS })
  await knex('users').update({ password: HASH })
  return { knex, people, login: 'username' }
}

function mapped(columns: typeof FEW_COLUMNS, collation: (name: DatabaseName) => string | undefined): Setup {
  return async (t, name) => {
    const { knex, people } = await ownTable(t, name, { columns }, collation(name))
    await people.create({ username: NAME, email: ADDRESS })
    await knex('users').update({ pw: HASH })
    return { knex, people, login: 'login' }
  }
}

/** Each table in which people are looked for: the library's, and those of applications, in each lax collation there is. */
function setupsOf(name: DatabaseName): Record<string, Setup> {
  const own_ = Object.entries(LAX[name]).flatMap(([collation, sql]) => [
    [`a table of few columns, ${collation}`, mapped(FEW_COLUMNS, () => sql)],
    [`a table of all columns, ${collation}`, mapped(ALL_COLUMNS, () => sql)],
  ])
  return { "the library's table": own, ...Object.fromEntries(own_) }
}

for (const name of DATABASES) {
  for (const [what, setup] of Object.entries(setupsOf(name))) {
    test(`L3: ${name}: ${what}: no lookalike logs in as somebody else, by name or by address.`, async t => {
      t.timeout(LONG)
      const { people } = await setup(t, name)
      const seen = { same: 0, other: 0 }
      const isRight = async (username: string): Promise<boolean> => {
        const canonical = canonicalForm(username)
        const isSame = canonical === NAME || canonical === ADDRESS
        const found = await people.authenticate({ username, password: PASSWORD })
        // Whoever is found is meant. Without a column of canonical forms not all who are meant are found.
        if (found) seen.same++
        else seen.other++
        return found ? isSame : !isSame || what.includes('few')
      }
      for (const right of [NAME, ADDRESS]) {
        t.truthy(await people.authenticate({ username: right, password: PASSWORD }))
        t.is(await people.authenticate({ username: right, password: `${PASSWORD}!` }), null)
      }
      for (const one of KNOWN) {
        t.true(await isRight(one), spelt(one))
        t.true(await isRight(one + ADDRESS.slice(NAME.length)), spelt(one))
      }
      await fc.assert(fc.asyncProperty(lookalike, isRight), { numRuns: 1_000 })
      t.log(seen)
      t.true(seen.same > 5 && seen.other > 20, JSON.stringify(seen))
    })
  }
}

for (const [name, least] of [
  ['mariadb', 5],
  ['postgresql', 5],
] as const) {
  for (const [collation, sql] of Object.entries(LAX[name])) {
    test(`${name}: who looks for a name as typed is let in by lookalikes under ${collation}, so that the tests above can fail.`, async t => {
      const { knex, login } = await mapped(FEW_COLUMNS, () => sql)(t, name)
      const naively = async (username: string) => (await knex('users').where({ [login]: username })).length > 0
      const others = KNOWN.filter(one => canonicalForm(one) !== NAME && !one.includes('\0'))
      let letIn = 0
      for (const username of others) if (await naively(username)) letIn++
      t.log(`${letIn} of ${others.length}`)
      t.true(letIn >= least, `${letIn}`)
    })
  }
}

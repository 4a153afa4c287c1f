import test from 'ava'
import fc from 'fast-check'
import { OptionInvalid, ProfileInvalid } from 'koa-strata'
import { checkFields, rowOf } from '../../lib/profiles/values.ts'
import { scaled } from '../scale.ts'

const FIELDS = ['company', 'about']
const REFUSED = 'This field cannot be set.'
const UNSTORABLE = 'This text holds what cannot be stored.'
const NO_SCALAR = 'This must be text, a number, a date or nothing.'
const NO_NUMBER = 'This is no number that can be stored.'

const WRONG_FIELDS: [string, unknown][] = [
  ['null', null],
  ['text', 'company'],
  ['an object', { company: true }],
  ['a number among them', ['company', 5]],
  ['an empty name', ['']],
  ['a name with a space', ['company name']],
  ['a name with the table before it', ['employers.company']],
  ['all columns', ['*']],
  ['a name with a quote', ['company`']],
  ['a name with a question mark', ['company?']],
  ['the key', ['company', 'user_key']],
  ['the key in capitals, which is the same column', ['company', 'USER_KEY']],
]

for (const [what, fields] of WRONG_FIELDS) {
  test(`Fields that are ${what} are an OptionInvalid.`, t => {
    const error = t.throws(() => checkFields('test', fields, 'user_key'), { instanceOf: OptionInvalid })
    t.is(error.option, 'fields')
  })
}

test('Fields may be any other columns, and none.', t => {
  for (const fields of [[], FIELDS, ['größe', 'key'], ['constructor']])
    t.notThrows(() => checkFields('test', fields, 'user_key'))
})

const bytes = new Uint8Array([1, 2, 3]).subarray(1)
const RIGHT: [string, unknown, expected?: unknown][] = [
  ['text', 'Acme'],
  ['empty text', ''],
  ['text of any script', "Zoë's ☃ 🦊 'quoted' \\ \n"],
  ['a number', -1.5],
  ['a bigint', 2n ** 60n],
  ['true', true],
  ['a date', new Date(0)],
  ['null', null],
  ['bytes', bytes, Buffer.from([2, 3])],
]

for (const [what, company, expected = company] of RIGHT) {
  test(`A value may be ${what}.`, t => {
    t.deepEqual(rowOf({ company }, FIELDS), { company: expected })
  })
}

test('Bytes are handed on as what every driver takes for bytes, with nothing copied.', t => {
  const { company } = rowOf({ company: bytes }, FIELDS) as { company: Buffer }
  t.true(Buffer.isBuffer(company))
  t.is(company.buffer, bytes.buffer)
})

const WRONG: [string, unknown, message: string][] = [
  ['an object, which mysql2 would read as conditions', { company: 1 }, NO_SCALAR],
  ['an object that says its own SQL', { toSqlString: () => '1; drop table employers' }, NO_SCALAR],
  ['an array', ['a', 'b'], NO_SCALAR],
  ['nested arrays', [['a', 'b']], NO_SCALAR],
  ['a Map', new Map(), NO_SCALAR],
  ['boxed text', new String('a'), NO_SCALAR],
  ['a function', () => 'a', NO_SCALAR],
  ['a symbol', Symbol('a'), NO_SCALAR],
  ['an ArrayBuffer', new ArrayBuffer(1), NO_SCALAR],
  ['text with a NUL', 'a\0b', UNSTORABLE],
  ['half a surrogate pair', 'a\ud800', UNSTORABLE],
  ['NaN', Number.NaN, NO_NUMBER],
  ['Infinity', Number.POSITIVE_INFINITY, NO_NUMBER],
  ['a date that is none', new Date(Number.NaN), 'This is no date.'],
]

for (const [what, company, message] of WRONG) {
  test(`A value cannot be ${what}.`, t => {
    const error = t.throws(() => rowOf({ company }, FIELDS), { instanceOf: ProfileInvalid })
    t.deepEqual(error.fields, { company: message })
    t.is(error.status, 422)
  })
}

test('A field that is left out or undefined is not set; one that is null is set to nothing.', t => {
  t.deepEqual(rowOf({}, FIELDS), {})
  t.deepEqual(rowOf({ company: undefined, about: null, other: undefined }, FIELDS), { about: null })
})

test('Every field that is wrong is named, by its own name where that is one for a form.', t => {
  const values = { company: {}, about: 'right', user_key: 'local:bob', 'a`b': 1, ['x'.repeat(65)]: 1 }
  const error = t.throws(() => rowOf(values, FIELDS), { instanceOf: ProfileInvalid })
  t.deepEqual(error.fields, { company: NO_SCALAR, user_key: REFUSED, values: REFUSED })
})

for (const field of [
  '__proto__',
  'constructor',
  'toString',
  'length',
  '0',
  'Company',
  'company ',
  'user_key',
  'USER_KEY',
  'rowid',
]) {
  test(`The field ${field} cannot be set: it is not listed.`, t => {
    const values = JSON.parse(`{ ${JSON.stringify(field)}: "x" }`)
    const error = t.throws(() => rowOf(values, FIELDS), { instanceOf: ProfileInvalid })
    t.deepEqual(Object.values(error.fields), [REFUSED])
    t.is(Object.getPrototypeOf(error.fields), Object.prototype)
  })
}

for (const [what, values] of [
  ['null', null],
  ['undefined', undefined],
  ['text', 'company'],
  ['an array', [['company', 'Acme']]],
  ['a Map', new Map([['company', 'Acme']])],
  [
    'an instance of a class',
    new (class {
      company = 'Acme'
    })(),
  ],
] as [string, unknown][]) {
  test(`Values that are ${what} are a ProfileInvalid.`, t => {
    t.deepEqual(t.throws(() => rowOf(values as object, FIELDS), { instanceOf: ProfileInvalid }).fields, {
      values: 'The values must be an object.',
    })
  })
}

test('What a parser of forms or of JSON makes, without a prototype too, is taken.', t => {
  t.deepEqual(rowOf(Object.assign(Object.create(null), { company: 'Acme' }), FIELDS), { company: 'Acme' })
})

test('Whatever is handed in, a row has listed columns and scalars alone, or the error is a ProfileInvalid.', t => {
  const names = fc.oneof(fc.constantFrom(...FIELDS, 'user_key', '__proto__', 'constructor'), fc.string())
  const values = fc.dictionary(names, fc.anything({ withBigInt: true, withDate: true, withTypedArray: true }))
  const isScalar = (value: unknown) =>
    value === null ||
    Buffer.isBuffer(value) ||
    value instanceof Date ||
    !['object', 'function', 'undefined'].includes(typeof value)
  let [taken, refused] = [0, 0]
  fc.assert(
    fc.property(values, given => {
      try {
        const row = rowOf(given, FIELDS)
        taken++
        return Object.entries(row).every(([field, value]) => FIELDS.includes(field) && isScalar(value))
      } catch (error) {
        refused++
        return error instanceof ProfileInvalid
      }
    }),
    { numRuns: scaled(20_000) },
  )
  t.true(taken > 0 && refused > 0)
})

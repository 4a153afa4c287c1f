import test from 'ava'
import { memoryStore } from 'koa-strata'
import { parseCard } from '../../../../lib/cli/doctor/card/parse.ts'
import { deployment, drawn, KEYS } from '../deployment.ts'

const NAME = { name: 'sql', load: async () => null }
const whole = async () => {
  const store = { ...memoryStore() }
  const { text } = await drawn(
    deployment({ keys: KEYS, store, backends: [NAME], url: 'https://me:secret@shop.example.org/x?token=1#y' }),
  )
  const card = JSON.parse(text)
  card.logins[0].people = [{ backend: 'sql', ids: ['1', 'ä/b'], isDated: true, fingerprint: 'a'.repeat(22) }]
  card.logins[0].backends[0].stampColumns = ['password', 'epoch']
  return card
}

test('A card is read as it was written.', async t => {
  const card = await whole()
  const { 'koa-strata card': version, ...rest } = card
  t.is(version, 1)
  t.is(rest.url, 'https://shop.example.org/x')
  t.deepEqual(parseCard(JSON.stringify(card)), rest)
})

test('Nothing else that a card holds is taken over.', async t => {
  const card = await whole()
  const more = JSON.stringify(card).replaceAll('{', '{"__proto__":{"polluted":1},"constructor":1,"more":[1],')
  const { 'koa-strata card': _, ...rest } = card
  t.deepEqual(parseCard(more), rest)
  t.false('polluted' in {})
})

test('Whatever member of a card is another thing than it must be, there is no card, and an error that says where.', async t => {
  const card = await whole()
  const wrong = [
    undefined,
    null,
    '',
    'x'.repeat(300_000),
    '\u001b[31mred',
    -1,
    0.5,
    1e300,
    true,
    [],
    {},
    [[]],
    [{}],
    [null],
    'a b',
  ]
  const taken: string[] = []
  const visit = (node: Record<string, unknown>) => {
    for (const key of Object.keys(node)) {
      const right = node[key]
      for (const value of wrong) {
        node[key] = value
        try {
          parseCard(JSON.stringify(card))
          taken.push(`${key} ${JSON.stringify(value)}`)
        } catch (error) {
          t.is((error as Error).constructor, Error, `${key} ${JSON.stringify(value)}`)
          t.regex(
            (error as Error).message,
            /^it is (no card that koa-strata doctor has written: [\w .]+ is not|a card of another version)/,
          )
        }
      }
      node[key] = right
      if (typeof right === 'object' && right !== null) visit(right as Record<string, unknown>)
    }
  }
  visit(card)
  const lists = ['backends', 'ids', 'keys', 'logins', 'people', 'stampColumns'].map(key => `${key} []`)
  const flags = ['endsSessions', 'isCarried', 'isDated', 'isPartitioned', 'isSecure'].map(key => `${key} true`)
  const none = ['backends', 'domain', 'probe', 'stampColumns', 'url'].map(key => `${key} null`)
  const members = taken.filter(one => !/^\d/.test(one))
  t.deepEqual([...new Set(members)].sort(), [...lists, ...flags, ...none, 'keys [null]'].sort())
  const items = taken.filter(one => /^\d/.test(one) && !/ (null|undefined)$/.test(one))
  t.deepEqual(items, ['0 "\\u001b[31mred"', '0 "a b"', '1 "\\u001b[31mred"', '1 "a b"'], 'any text can be an id')
  t.truthy(parseCard(JSON.stringify(card)), 'it is whole again')
})

test('What is too many or too long for a card is refused.', async t => {
  const change = async (alter: (login: ReturnType<typeof JSON.parse>) => void) => {
    const card = await whole()
    alter(card.logins[0])
    return JSON.stringify(card)
  }
  const [key] = (await whole()).logins[0].keys
  for (const [alter, said] of [
    [login => login.keys.push(...Array(64).fill(key)), /keys/],
    [login => login.people[0].ids.push(...'abcdefghij'), /people\.ids/],
    [login => login.people[0].ids.push('x'.repeat(1025)), /people\.ids/],
    [login => (login.cookie.name = 'x'.repeat(151)), /cookie\.name/],
    [login => (login.cookie.name = 'a;b'), /cookie\.name/],
    [login => (login.cookie.domain = 'a b'), /cookie\.domain/],
    [login => (login.probe = '../x'), /probe/],
  ] as [(login: ReturnType<typeof JSON.parse>) => void, RegExp][])
    await t.throwsAsync(async () => parseCard(await change(alter)), { message: said })
})

test('What is no card is told as what it is.', async t => {
  for (const text of ['', 'no', '{"a":', '['.repeat(200_000)])
    t.throws(() => parseCard(text), { message: 'it is no JSON.' })
  for (const text of ['null', '1', '[]', '{}', '{"logins":[]}'])
    t.throws(() => parseCard(text), { message: /no card that/ })
  const card = { ...(await whole()), 'koa-strata card': 2 }
  t.throws(() => parseCard(JSON.stringify(card)), { message: /another version/ })
})

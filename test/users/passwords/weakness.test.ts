import test from 'ava'
import { weaknessOf } from '../../../lib/users/passwords/weakness.ts'

const common: ReadonlySet<string> = new Set(['password', 'dragon'])
const judge = (password: string, own: string[] = [], shortBelow = 15) =>
  weaknessOf(password, { common, own, shortBelow })

test('The work grows with the length of a text, not with its square.', t => {
  const own = ['a'.repeat(150), `${'ab.'.repeat(60)}@${'ab.'.repeat(20)}org`]
  const started = performance.now()
  for (const unit of ['a', 'ab', 'a1', '1a1', 'aab', '9', '!a', ' ', '.']) {
    // Far longer than a password can be: what is quadratic would take many minutes.
    const text = unit.repeat(100_000 / unit.length)
    for (const one of [text, `${text}z`, `z${text}`, `z${text}z`]) judge(one, own)
  }
  t.true(performance.now() - started < 60_000)
})

test('What is repeated is told from what is said at length twice.', t => {
  t.is(judge('a sentence, again, a sentence, again, '), null)
  t.is(judge('a sentence, again, a sentence, again, ', [], 20), 'repeated')
  t.is(judge('again, again, again, again, '), 'repeated')
  t.is(judge('again, again, again, aga'), 'repeated')
  t.is(judge('again, again, again, agz'), null)
  t.is(judge('the dragon at the door, the dragon at the door, '), null)
})

test('A common password is told whatever stands around it that is no letter, and not inside a longer text.', t => {
  for (const text of ['dragon', 'DRAGON', 'dragon dragon', '12 dragon 34', '«dragon»', 'dr-ag-on', '1dragondragon2'])
    t.is(judge(text), 'common', text)
  for (const text of ['a dragon at the door', 'snapdragons', 'dragon password monkey']) t.is(judge(text), null, text)
})

test('A name is told whole, in its parts and without its digits, but for what is too short to be told.', t => {
  const own = ['grace_1906', 'g.hopper@navy.example', 'x']
  for (const text of [
    'grace_1906',
    'Grace',
    'grace1906!',
    '1952 grace',
    'g.hopper',
    'hopper',
    'navy.example',
    'ghopper',
  ])
    t.is(judge(text, own), 'own', text)
  for (const text of ['graceful exits', 'hopper and navy', '12#4%6&8x']) t.is(judge(text, own), null, text)
})

test('A run is one for its greater part: words and chance have few neighbours.', t => {
  for (const text of ['abcdefgh', 'hgfedcba', 'qwert12345', 'zxcvbnmasdfghjkl', '1234abcd1234efgh'])
    t.is(judge(text), 'run', text)
  for (const text of ['first understudy', 'oper tuition poi', 'hijklmno is no word', '2468acegikm', '3141592653589793'])
    t.is(judge(text), null, text)
})

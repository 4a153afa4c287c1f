import test from 'ava'
import { type Description, describe, descriptionOf, descriptionsWithin, partsWithin } from '../lib/described.ts'

interface Made extends Description {
  by: 'make()'
  from: string
}

test('A thing tells what it was made with to who asks for that, and shows it to nobody else.', t => {
  const thing = describe({ own: 1 }, { by: 'make()', from: 'here' } satisfies Made)
  t.is(descriptionOf<Made>('make()', thing)?.from, 'here')
  t.is(descriptionOf('other()', thing), null)
  t.deepEqual(Object.keys(thing), ['own'])
  t.deepEqual({ ...thing }, { own: 1 })
})

test('Another copy of the library finds it too.', t => {
  const thing = Object.defineProperty(() => {}, Symbol.for('koa-strata:described'), { value: { by: 'make()' } })
  t.deepEqual(descriptionOf('make()', thing), { by: 'make()' })
})

test('What was not described, and what is no object, has no description.', t => {
  for (const thing of [{}, () => {}, null, undefined, 'text', 1]) t.is(descriptionOf('make()', thing), null)
})

test('What something is made of is looked through at any depth, in its order.', t => {
  const made = (from: string) => describe({}, { by: 'make()', from } satisfies Made)
  const stacked = (...parts: unknown[]) => describe(() => {}, { by: 'stack()', parts })
  const froms = (thing: unknown) => descriptionsWithin<Made>('make()', thing).map(({ from }) => from)
  const [a, b] = [made('a'), made('b')]
  const plain = () => {}
  const whole = stacked(a, stacked(null, stacked(b), plain), stacked(), a)
  t.deepEqual(froms(whole), ['a', 'b', 'a'])
  t.deepEqual(partsWithin(whole), [a, null, b, plain, a])
  t.deepEqual(froms(a), ['a'])
  for (const thing of [stacked(), {}, null, 'text', describe({}, { by: 'other()' })]) t.deepEqual(froms(thing), [])
})

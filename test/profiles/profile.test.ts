import test from 'ava'
import { AnonymousUser, DetachedUser } from 'koa-strata'
import { flagOf, kindProblem } from '../../lib/profiles/profile.ts'

test('The flag of a kind is its name behind is, with a capital.', t => {
  t.deepEqual(['employer', 'jobSeeker', 'a', 'x1'].map(flagOf), ['isEmployer', 'isJobSeeker', 'isA', 'isX1'])
})

test('No kind can take the name of what every user has.', t => {
  const members = [...Object.keys(new AnonymousUser()), ...Object.keys(new DetachedUser({ backend: 'a', id: 'b' }))]
  const flags = members.filter(name => /^is[A-Z]/.test(name))
  t.true(flags.length >= 10)
  for (const flag of flags) t.regex(kindProblem(flag[2]!.toLowerCase() + flag.slice(3))!, new RegExp(`a flag ${flag} `))
})

for (const kind of ['employer', 'a', 'jobSeeker2', `a${'b'.repeat(63)}`, 'constructor', 'toString', 'valueOf']) {
  test(`A kind may be named ${kind}.`, t => {
    t.is(kindProblem(kind), null)
  })
}

for (const kind of [undefined, null, 5, '', 'A', '1a', 'a-b', 'a b', 'a.b', 'ä', '__proto__', 'a\n']) {
  test(`A kind cannot be named ${JSON.stringify(kind) ?? 'undefined'}.`, t => {
    t.regex(kindProblem(kind)!, /lower-case letter and letters or digits/)
  })
}

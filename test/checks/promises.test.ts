import test from 'ava'
import { checkPromises } from './promises.ts'
import { tree } from './tree.ts'

const inOrder = {
  'SECURITY.md': '# What is kept\n\n- **C1** Ids are random.\n- **S2** Ended is ended.\n',
  'test/id.test.ts': "test('C1: a million ids are unique', t => {})\n",
  'recipes/shop/app.test.ts': 'for (const store of stores)\n  test(`S2: a logout stays one`, macro, store)\n',
}

test('promises that each have a test are in order', async t => {
  t.deepEqual(await checkPromises(tree(t, inOrder)), [])
})

const wrong: [title: string, files: Record<string, string>, problem: string][] = [
  [
    'a promise without a test is found',
    { 'SECURITY.md': `${inOrder['SECURITY.md']}- **T3** Nothing hangs.\n` },
    "SECURITY.md promises T3, and no test has a title that starts with 'T3: '.",
  ],
  [
    'a test of a promise that is not listed is found',
    { 'test/more.test.ts': "test('C9: no public suffix', t => {})\n" },
    'test/more.test.ts shows C9, which SECURITY.md does not list.',
  ],
  [
    'a test that is skipped shows nothing',
    { 'test/id.test.ts': "test.skip('C1: a million ids are unique', t => {})\n" },
    "SECURITY.md promises C1, and no test has a title that starts with 'C1: '.",
  ],
  [
    'a test that is commented out shows nothing',
    { 'test/id.test.ts': "// test('C1: a million ids are unique', t => {})\n" },
    "SECURITY.md promises C1, and no test has a title that starts with 'C1: '.",
  ],
  [
    'an id in the middle of a title shows nothing',
    { 'test/id.test.ts': "test('a million ids are unique, as C1: says', t => {})\n" },
    "SECURITY.md promises C1, and no test has a title that starts with 'C1: '.",
  ],
  [
    'a promise listed twice is found',
    { 'SECURITY.md': '- **C1** One.\n- **S2** Two.\n- **C1** Three.\n' },
    'SECURITY.md lists C1 twice.',
  ],
  [
    'a page without promises is found',
    { 'SECURITY.md': 'C1: Ids are random.\n' },
    "SECURITY.md lists no promise: an item starts with its id in bold, as '- **S2** …'.",
  ],
]

for (const [title, files, problem] of wrong) {
  test(title, async t => {
    const problems = await checkPromises(tree(t, { ...inOrder, ...files }))
    t.true(problems.includes(problem), problems.join('\n'))
  })
}

test('a missing page is found', async t => {
  t.deepEqual(await checkPromises(tree(t, {})), ['SECURITY.md is missing.'])
})

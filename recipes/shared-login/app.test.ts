import test from 'ava'
import { sharedServer } from '../../test/servers/shared.ts'
import { foundOrganisation, Visitor } from './test-organisation.ts'

const STORES: Record<string, () => Promise<string | undefined>> = {
  'a directory': async () => undefined,
  Redis: async () => (await sharedServer('redis'))[0],
  SQL: async () => 'sql',
}

for (const [where, place] of Object.entries(STORES)) {
  test(`X4: sessions in ${where}: who logs in at one is logged in at the other, and a logout at one holds at the other.`, async t => {
    const { start } = await foundOrganisation(t, await place())
    const { shop, forum } = await start()
    const visitor = new Visitor()
    for (const [here, there] of [
      [shop, forum],
      [forum, shop],
    ] as const) {
      t.is(await visitor.logIn(here, 'ada', 'wrong'), 401)
      t.is(await visitor.logIn(here, 'ada'), 303)
      const copy = visitor.copy()
      t.is(await visitor.whoIs(there), 'ada')
      t.is(await visitor.post(`${there}/logout`), 303)
      t.is(await copy.whoIs(here), '')
    }
  })
}

test('X4: each keeps what is its own: in its database by the person, in the session by a name that the other leaves alone.', async t => {
  const { start, shopDatabase, forumDatabase } = await foundOrganisation(t)
  const { shop, forum } = await start()
  const ada = new Visitor()
  await ada.post(`${shop}/basket`, { tea: 'Assam' })
  t.is(await ada.post(`${shop}/wishes`, { tea: 'Assam' }), 401)
  t.is(await ada.logIn(forum, 'ada'), 303)
  t.is((await ada.page(forum)).match(/<mark>new<\/mark>/g)?.length, 2)
  t.notRegex(await ada.page(forum), /<mark>/)
  await ada.post(`${forum}/posts`, { text: '<b>Milk</b>' })
  await Promise.all([
    ada.post(`${shop}/basket`, { tea: 'Earl Grey' }),
    ada.page(forum),
    ada.post(`${shop}/wishes`, { tea: 'Rooibos & vanilla' }),
  ])
  t.regex(
    await ada.page(shop),
    /In your basket<\/h2>\n<ul>\n<li><bdi>Assam<\/bdi><\/li>\n<li><bdi>Earl Grey<\/bdi><\/li>/,
  )
  t.notRegex(await ada.page(forum), /<mark>/)
  const { user_key: key } = await forumDatabase('posts').where({ text: '<b>Milk</b>' }).first()
  t.deepEqual(await shopDatabase('wishes').select(), [{ user_key: key, tea: 'Rooibos & vanilla' }])

  await ada.post(`${forum}/logout`)
  t.notRegex(await ada.page(shop), /Your wishes<\/h2>\n<ul>/)
  await ada.logIn(shop, 'ada')
  t.regex(await ada.page(shop), /Your wishes<\/h2>\n<ul>\n<li><bdi>Rooibos &#38; vanilla<\/bdi>/)
})

test('X4: keys go in four steps, one application after the other, and nobody is logged out.', async t => {
  const { start } = await foundOrganisation(t)
  const [old, other] = ['o'.repeat(32), 'n'.repeat(32)]
  const steps = [[old], [old, other], [other, old]]
  const [early, late] = [new Visitor(), new Visitor()]
  let before = await start({ keys: steps[0]! })
  await early.logIn(before.shop, 'ada')
  for (const keys of steps.slice(1)) {
    const after = await start({ keys })
    for (const one of [before, after]) {
      t.is(await early.whoIs(one.shop), 'ada')
      await late.logIn(one.forum, 'noor')
      for (const { shop, forum } of [before, after]) {
        t.is(await late.whoIs(shop), 'noor')
        t.is(await late.whoIs(forum), 'noor')
      }
    }
    before = after
  }
  // 30 days later nobody has a cookie that the old key signed. Today somebody has.
  const last = await start({ keys: [other] })
  t.is(await late.whoIs(last.shop), 'noor')
  t.is(await early.whoIs(last.shop), '')
})

test('L4: failed logins at one count at the other, and who is beyond the limit is told so.', async t => {
  const { start } = await foundOrganisation(t)
  const { shop, forum } = await start()
  const guesser = new Visitor()
  for (let guess = 0; guess < 10; guess++)
    t.is(await guesser.logIn(guess % 2 ? shop : forum, 'noor', `guess ${guess}`), 401)
  t.is(await guesser.logIn(shop, 'noor', 'another guess'), 429)
  t.is(await guesser.logIn(forum, 'noor', 'another guess'), 429)
})

test('What cannot be is refused: a tea that is none, a post that is none, a page that is none, and forms of other sites.', async t => {
  const { start } = await foundOrganisation(t)
  const { shop, forum } = await start()
  const visitor = new Visitor()
  t.is(await visitor.post(`${shop}/basket`, { tea: 'Coffee' }), 422)
  t.is(await visitor.post(`${forum}/posts`, { text: 'Who am I?' }), 401)
  await visitor.logIn(forum, 'ada')
  t.is(await visitor.post(`${forum}/posts`, { text: ' ' }), 422)
  t.is(await visitor.post(`${shop}/wishes`), 422)
  t.is(await visitor.post(`${shop}/nowhere`), 404)
  const evil = { origin: 'https://evil.example', cookie: visitor.cookie }
  t.is((await fetch(`${shop}/logout`, { method: 'POST', headers: evil })).status, 403)
  t.is(await visitor.whoIs(shop), 'ada')
})

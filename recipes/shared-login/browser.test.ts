import test from 'ava'
import { launchChromium } from '../../test/clients/browser.ts'
import { PEOPLE } from './example.ts'
import { foundOrganisation } from './test-organisation.ts'

/** Of a phone. */
const WIDTH = 390

test('X4: In Chromium, on a phone, somebody logs in at the shop, posts in the forum, and logs out of both there.', async t => {
  const { start } = await foundOrganisation(t)
  const { shop, forum } = await start({ domain: 'teas.localhost' })
  const chromium = await launchChromium()
  t.teardown(() => chromium.close())
  const context = await chromium.newContext({ viewport: { width: WIDTH, height: 700 } })
  const page = await context.newPage()
  page.on('console', message => message.type() === 'error' && t.fail(message.text()))
  const fits = async () => {
    const wide = await page.locator('html').evaluate(root => root.scrollWidth)
    t.true(wide <= WIDTH, `${page.url()} is ${wide} wide`)
  }

  await page.goto(shop)
  await page.getByRole('button', { name: 'Basket: Rooibos & vanilla' }).click()
  await fits()
  await page.getByRole('banner').getByRole('link', { name: 'Log in' }).click()
  await fits()
  await page.getByLabel('Name or e-mail address').fill('ada')
  await page.getByLabel('Password').fill(PEOPLE.ada!)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('button', { name: 'Wish: Assam' }).click()
  t.is(await page.getByRole('listitem').count(), 6, 'four teas, the basket and the wish')
  await fits()

  await page.getByRole('link', { name: 'Forum' }).click()
  t.is(page.url(), `${forum}/`)
  await page.getByLabel('Your post').fill('مرحبا <b>')
  await page.getByRole('button', { name: 'Post' }).click()
  t.is(await page.getByText('مرحبا <b>').count(), 1)
  await fits()
  const cookies = (await context.cookies()).map(({ name, domain }) => `${name} ${domain}`)
  t.deepEqual(cookies.sort(), ['sid .teas.localhost', 'sid-device .teas.localhost'])
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.goto(shop)
  t.is(await page.getByRole('banner').getByRole('link', { name: 'Log in' }).count(), 1)
  t.is(await page.getByRole('listitem').count(), 4)
})

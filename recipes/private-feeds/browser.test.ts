import test from 'ava'
import { launchChromium } from '../../test/clients/browser.ts'
import { PEOPLE } from './example.ts'
import { poll, startLibrary } from './test-library.ts'

/** Of a phone. */
const WIDTH = 390

test('In Chromium, on a phone, somebody makes a token for their reader, copies its address and revokes it.', async t => {
  const { origin } = await startLibrary(t)
  const chromium = await launchChromium()
  t.teardown(() => chromium.close())
  const page = await chromium.newPage({ baseURL: origin, viewport: { width: WIDTH, height: 700 } })
  page.on('console', message => message.type() === 'error' && t.fail(message.text()))
  const fits = async () => {
    const wide = await page.locator('html').evaluate(root => root.scrollWidth)
    t.true(wide <= WIDTH, `${page.url()} is ${wide} wide`)
  }

  await page.goto('/feeds')
  await page.getByLabel('Name or e-mail address').fill('ines')
  await page.getByLabel('Password').fill(PEOPLE.ines!)
  await page.getByRole('button', { name: 'Log in' }).click()
  t.is(page.url(), `${origin}/feeds`)
  await fits()
  await page.getByLabel('Which reader is it for?').fill('قارئ <b>')
  await page.getByRole('button', { name: 'Make a token' }).click()
  await fits()
  const address = await page.getByText('As an address').locator('code').textContent()
  t.is((await poll(address!)).status, 200)

  await page.goto('/feeds')
  t.is(await page.getByText('feed_').count(), 0, 'it is not shown again')
  await page.getByRole('button', { name: 'Revoke قارئ <b>' }).click()
  t.is(await page.getByText('You have none.').count(), 1)
  t.is((await poll(address!)).status, 401)
  for (const path of ['/', '/loans']) {
    await page.goto(path)
    await fits()
  }
})

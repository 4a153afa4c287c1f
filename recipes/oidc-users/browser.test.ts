import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../../test/clients/browser.ts'
import { ACCOUNTS } from './accounts.ts'
import { startRecipe, type TestRoom } from './test-room.ts'

const [ada, noor] = ACCOUNTS as [(typeof ACCOUNTS)[number], (typeof ACCOUNTS)[number]]

/** Of a phone. */
const WIDTH = 390

let chromium: Browser
test.before(async () => {
  chromium = await launchChromium()
})
test.after.always(() => chromium?.close())

/** A page of a phone. Whatever the browser refuses on it fails the test. */
async function openPage(t: ExecutionContext, room: TestRoom): Promise<Page> {
  const context = await chromium.newContext({ baseURL: room.origin, viewport: { width: WIDTH, height: 700 } })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('console', message => {
    if (message.type() === 'error' && !/status of (401|403)/.test(message.text())) t.fail(message.text())
  })
  return page
}

/** The page has this heading, and fits. */
async function isAt(t: ExecutionContext, page: Page, title: string): Promise<void> {
  t.is(await page.getByRole('heading', { level: 1 }).textContent(), title)
  const wide = await page.locator('html').evaluate(root => root.scrollWidth)
  t.true(wide <= WIDTH, `${page.url()} is ${wide} wide`)
}

test('In Chromium somebody logs in at the provider, and out here and there; somebody else changes their mind.', async t => {
  const room = await startRecipe(t)
  const page = await openPage(t, room)
  await page.goto('/shelf')
  await page.getByRole('button', { name: 'Log in with Example ID' }).click()
  await isAt(t, page, 'Sign in')
  await page.getByLabel('Name').fill(noor.username)
  await page.getByLabel('Password').fill('wrong')
  await page.getByRole('button', { name: 'Sign in' }).click()
  t.regex((await page.getByRole('alert').textContent())!, /Nobody has this name and password/)
  await page.getByLabel('Name').fill(noor.username)
  await page.getByLabel('Password').fill(noor.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await isAt(t, page, 'Your shelf')
  t.is(await page.getByText(noor.name).count(), 1)
  t.is(new URL(page.url()).search, '', 'no code is left in the address')

  await page.getByRole('button', { name: 'Log out' }).click()
  await isAt(t, page, 'Sign out?')
  await page.getByRole('button', { name: 'Sign out' }).click()
  t.is(page.url(), `${room.origin}/`)
  await page.goto('/shelf')
  await isAt(t, page, 'Log in')

  await page.getByRole('button', { name: 'Log in with Example ID' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await isAt(t, page, 'Not for you')
  await page.getByRole('main').getByRole('link', { name: 'Log in' }).click()
  await page.getByRole('button', { name: 'Log in with Example ID' }).click()
  await page.getByLabel('Name').fill(ada.username)
  await page.getByLabel('Password').fill(ada.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  t.is(await page.getByText('Hello Ada Reader.').count(), 1)

  await page.goto(`${room.provider.issuer}/session/end`)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await isAt(t, page, 'You are signed out')
  await page.goto('/')
  t.is(await page.getByText('Hello').count(), 0)
})

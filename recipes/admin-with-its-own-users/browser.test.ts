import test from 'ava'
import { launchChromium } from '../../test/clients/browser.ts'
import { EDITORS, READERS } from './example.ts'
import { startMagazine } from './test-magazine.ts'

test('X6: In Chromium somebody is a reader and an editor at once, and each page fits a phone and a desk.', async t => {
  const { magazine, publisher } = await startMagazine(t)
  const chromium = await launchChromium()
  t.teardown(() => chromium.close())
  const page = await chromium.newPage()
  page.on('console', message => message.type() === 'error' && t.fail(message.text()))
  const shows = async (title: string) => {
    t.is(await page.locator('h1').textContent(), title)
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 700 })
      const wide = await page.locator('html').evaluate(root => root.scrollWidth)
      t.true(wide <= width, `${page.url()} is ${wide} wide`)
    }
  }
  const logIn = async (username: string, password: string) => {
    await page.getByLabel('Name or e-mail address').fill(username)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
  }
  const who = () => page.locator('header bdi').textContent()

  await page.goto(publisher)
  await page.getByRole('link', { name: 'Log in' }).click()
  await shows('Log in to Harbour Press')
  await logIn('ines', READERS.ines!)
  await shows('Your account')

  await page.goto(`${magazine}/admin`)
  await shows('Log in to Tideline desk')
  await logIn('grace', EDITORS.grace!)
  t.is(page.url(), `${magazine}/admin`)
  await page.getByRole('button', { name: 'Publish Lamps & lenses' }).click()
  await shows('Articles')
  t.is(await page.getByRole('button', { name: 'Take back Lamps & lenses' }).count(), 1)

  await page.goto(magazine)
  await shows('From the shore')
  t.is(await who(), 'ines')
  await page.getByRole('link', { name: 'Lamps & lenses' }).click()
  await shows('Lamps & lenses')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('link', { name: 'Log in' }).waitFor()
  await page.goto(`${magazine}/admin`)
  t.is(await who(), 'grace')
})

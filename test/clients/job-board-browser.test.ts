import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { demoAccounts, partnerPeople } from '../../recipes/job-board/seed.ts'
import { type Credentials, startBoard, type TestBoard, Visitor } from '../../recipes/job-board/test-board.ts'
import { launchChromium } from './browser.ts'

const { marta, elektra, ines, robin, sam } = demoAccounts
const noor = partnerPeople[0]!

let browser: Browser
test.before(async () => {
  browser = await launchChromium()
})
test.after.always(() => browser?.close())

/** A page in a browser of its own: its cookies are nobody else's. Whatever the browser refuses on it fails the test. */
async function openPage(t: ExecutionContext, board: TestBoard, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ baseURL: board.origin, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.on('console', message => {
    if (message.type() === 'error' && !/status of (401|403|404|422)/.test(message.text())) t.fail(message.text())
  })
  return page
}

async function logIn(page: Page, { username, password }: Credentials): Promise<void> {
  await page.goto('/')
  await page.getByRole('banner').getByRole('link', { name: 'Log in' }).click()
  await page.getByLabel('Name or e-mail address').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
}

/** The page is of somebody who has logged in already, for tests of what comes behind that. */
async function arrive(page: Page, board: TestBoard, who: Credentials): Promise<void> {
  const { cookie } = await Visitor.loggedIn(board, who)
  const equals = cookie.indexOf('=')
  const [name, value] = [cookie.slice(0, equals), cookie.slice(equals + 1)]
  await page.context().clearCookies()
  await page.context().addCookies([{ name, value, url: board.origin, httpOnly: true, sameSite: 'Lax' }])
}

function heading(page: Page): Promise<string | null> {
  return page.getByRole('heading', { level: 1 }).textContent()
}

// One after the other: each page is processes of its own, and the tests beside this file have servers that are to answer in time.
test.serial(
  'in Chromium an employer posts an opening, an employee applies, the employer reads it and logs out',
  async t => {
    const board = await startBoard(t.teardown)
    const employer = await openPage(t, board)
    await logIn(employer, marta)
    t.is(await heading(employer), 'Your openings')
    await employer.getByRole('link', { name: 'Post an opening' }).click()
    await employer.getByRole('button', { name: 'Post it' }).click()
    t.is(await employer.getByLabel('Title').getAttribute('aria-invalid'), 'true')
    t.true(await employer.getByLabel('Title').evaluate(field => field === field.ownerDocument.activeElement))
    await employer.getByLabel('Title').fill('Καφετζής')
    await employer.getByLabel('Place').fill('Χανιά')
    await employer.getByLabel('Description').fill('Coffee on sand.\n\nFrom six.')
    await employer.getByRole('button', { name: 'Post it' }).click()
    t.is(await employer.getByRole('status').textContent(), 'Your opening is on the board.')
    t.is(await heading(employer), 'Καφετζής')

    const employee = await openPage(t, board)
    await logIn(employee, ines)
    t.is(await heading(employee), 'Openings')
    await employee.getByRole('link', { name: 'Καφετζής' }).click()
    await employee.getByLabel('Your letter').fill('Je sais faire le café sur le sable. ☕')
    await employee.getByRole('button', { name: 'Send the application' }).click()
    t.is(await employee.getByRole('status').textContent(), 'Your application is with the employer.')
    await employee.getByRole('link', { name: 'Your applications' }).click()
    t.is(await employee.getByRole('row').filter({ hasText: 'Καφετζής' }).count(), 1)

    await employer.reload()
    t.is(await employer.getByText('Je sais faire le café sur le sable. ☕').count(), 1)
    await employer.getByRole('button', { name: 'Log out' }).click()
    t.is(await employer.getByRole('status').textContent(), 'You are logged out.')
    await employer.goto('/company')
    t.is(new URL(employer.url()).pathname, '/login')
  },
)

test.serial('in Chromium a partner’s person recommends somebody, and the employer sees it', async t => {
  const board = await startBoard(t.teardown)
  const partner = await openPage(t, board)
  await logIn(partner, noor)
  await partner.getByRole('link', { name: 'Letterpress printer' }).click()
  await partner.getByLabel('Whom do you recommend?').fill('שרה לוי')
  await partner.getByLabel('Why them?').fill('Sets Hebrew and Greek.')
  await partner.getByRole('button', { name: 'Send the recommendation' }).click()
  t.is(await partner.getByRole('status').textContent(), 'The employer has your word for שרה לוי.')
  const employer = await openPage(t, board)
  await logIn(employer, elektra)
  await employer.getByRole('link', { name: 'Letterpress printer' }).click()
  t.is(await employer.getByRole('heading', { name: 'שרה לוי' }).count(), 1)
})

test.serial('in Chromium somebody new says what they are, and staff read of it', async t => {
  const board = await startBoard(t.teardown)
  const page = await openPage(t, board)
  await logIn(page, robin)
  t.is(await heading(page), 'Welcome, robin')
  await page.getByRole('link', { name: 'I am looking for work' }).click()
  await page.getByLabel('Your name').fill('Robin Ó Briain')
  await page.getByLabel('City').fill('Corcaigh')
  await page.getByLabel('Skills').fill('bread')
  await page.getByRole('button', { name: 'Create the profile' }).click()
  t.is(await heading(page), 'Openings')
  const staff = await openPage(t, board)
  await logIn(staff, sam)
  t.is(await heading(staff), 'What happens on the board')
  t.is(await staff.getByRole('row').filter({ hasText: 'Robin Ó Briain' }).count(), 1)
})

test.serial(
  'in Chromium “log out everywhere” ends the session in the other browser, and “my other sessions” keeps this one',
  async t => {
    const board = await startBoard(t.teardown)
    const [here, there] = [await openPage(t, board), await openPage(t, board)]
    await logIn(here, ines)
    await arrive(there, board, ines)
    await here.goto('/account')
    t.is(await here.getByRole('button', { name: 'End the session of another browser' }).count(), 1)
    await here.getByRole('button', { name: 'Log out my other sessions' }).click()
    t.is(await here.getByRole('status').textContent(), 'All your other sessions have ended.')
    await there.goto('/account')
    t.is(new URL(there.url()).pathname, '/login')

    await logIn(there, ines)
    await there.goto('/account')
    await there.getByRole('button', { name: 'Log out everywhere' }).click()
    t.is(await there.getByRole('status').textContent(), 'You are logged out everywhere.')
    await here.goto('/account')
    t.is(new URL(here.url()).pathname, '/login')
  },
)

test.serial('in Chromium a form on another site changes nothing, though the browser sends the cookie', async t => {
  const board = await startBoard(t.teardown)
  const other = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(
      `<form method="post" action="${board.origin}/account/sessions/end-all"><button>A kitten</button></form>`,
    )
  }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => {
    other.close()
    other.closeAllConnections()
  })
  const page = await openPage(t, board)
  await logIn(page, ines)
  await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)
  await page.getByRole('button', { name: 'A kitten' }).click()
  t.is(await heading(page), 'Not for you')
  await page.goto('/account')
  t.is(await heading(page), 'Your account')
})

test.serial(
  'Chromium reads each feed with the session, and with the name and a password that is not ASCII',
  async t => {
    const board = await startBoard(t.teardown)
    const page = await openPage(t, board)
    await arrive(page, board, ines)
    await page.goto('/openings')
    const links = await page
      .locator('link[rel=alternate]')
      .evaluateAll(found => found.map(link => link.getAttribute('href') ?? ''))
    t.is(links.length, 3)
    const [atom, rss] = await Promise.all(
      links.slice(0, 2).map(async link => (await page.context().request.get(link)).text()),
    )
    const roots = await page.evaluate(
      texts =>
        texts.map(text => {
          const { DOMParser } = globalThis as unknown as {
            DOMParser: new () => {
              parseFromString(text: string, type: string): { documentElement: { localName: string } }
            }
          }
          return new DOMParser().parseFromString(text, 'application/xml').documentElement.localName
        }),
      [atom!, rss!],
    )
    t.deepEqual(roots, ['feed', 'rss'])

    const { username, password } = ines
    const reader = await openPage(t, board, { httpCredentials: { username, password } })
    const response = await reader.goto('/feeds/openings.json')
    t.is(response?.status(), 200)
    t.is((await reader.context().cookies()).length, 0)
  },
)

test.serial('in Chromium somebody makes a token for a reader, sees it once, reads by it, and ends it', async t => {
  const board = await startBoard(t.teardown)
  const page = await openPage(t, board)
  await arrive(page, board, ines)
  await page.goto('/openings')
  await page.getByRole('link', { name: 'Feeds' }).click()
  await page.getByRole('link', { name: 'Your tokens' }).click()
  t.is(await heading(page), 'Tokens for feed readers')
  await page.getByLabel('Only those that I choose').check()
  await page.getByRole('button', { name: 'Make the token' }).click()
  t.is(await page.getByRole('alert').getByRole('link').count(), 2)
  t.true(await page.getByLabel('What is it for?').evaluate(field => field === field.ownerDocument.activeElement))
  await page.getByLabel('What is it for?').fill('قارئ')
  await page.getByRole('checkbox', { name: 'Openings' }).check()
  await page.getByRole('button', { name: 'Make the token' }).click()
  t.is(await heading(page), 'Your new token')
  const address = await page.getByRole('group', { name: 'Openings' }).getByLabel('Atom').inputValue()
  const token = await page.getByRole('textbox', { name: 'Password' }).inputValue()
  t.true(address.endsWith(`/feeds/openings.atom?token=${token}`))

  const reader = await openPage(t, board)
  t.is((await reader.goto(address))?.status(), 200)
  t.is((await reader.context().cookies()).length, 0)
  const asked = await openPage(t, board, { httpCredentials: { username: ines.username, password: token } })
  t.is((await asked.goto('/feeds/openings.rss'))?.status(), 200)

  await page.getByRole('main').getByRole('link', { name: 'Tokens for feed readers' }).click()
  t.false((await page.content()).includes(token))
  await page.getByRole('button', { name: 'End the token قارئ' }).click()
  t.is(await page.getByRole('status').textContent(), 'That token has ended.')
  t.is((await reader.context().request.get(address)).status(), 401)
})

test.serial('in Chromium every page fits on a phone, and a keyboard reaches the content at once', async t => {
  const board = await startBoard(t.teardown)
  const width = 375
  const views: [Credentials, string[]][] = [
    [
      marta,
      [
        '/company',
        '/company/openings/1',
        '/company/openings/new',
        '/openings',
        '/profile',
        '/feeds',
        '/feeds/tokens',
        '/account',
      ],
    ],
    [ines, ['/openings', '/openings/1', '/openings/2', '/applications', '/profile', '/nothing-here']],
    [noor, ['/openings/2', '/recommendations', '/profile']],
    [sam, ['/staff', '/feeds']],
    [robin, ['/welcome', '/welcome/employer']],
  ]
  const page = await openPage(t, board, { viewport: { width, height: 700 } })
  for (const [who, paths] of views) {
    if (who === marta) await logIn(page, who)
    else await arrive(page, board, who)
    for (const path of paths) {
      await page.goto(path)
      const widest = await page.locator('html').evaluate(root => root.scrollWidth)
      t.true(widest <= width, `${path} is ${widest} wide`)
    }
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    t.is(await page.locator(':focus').getAttribute('id'), 'main')
  }
})

import test from 'ava'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../clients/browser.ts'
import { chromium } from '../clients/django/chromium.ts'
import type { Client } from '../clients/django/client.ts'
import { curl } from '../clients/django/curl.ts'
import { Pair } from './interop/pair.ts'
import { THOROUGH, wayOf } from './interop/ways.ts'

let browser: Browser
const CLIENTS: readonly Client[] = [curl, chromium(() => browser)]

test.before(async () => {
  browser = await launchChromium()
})
test.after.always(() => browser?.close())

for (const name of ['db on sqlite', 'signed_cookies']) {
  for (const client of CLIENTS) {
    // Browsers take their time.
    if (client !== curl && name === 'signed_cookies' && !THOROUGH) continue
    test(`X7: django ${name}: With ${client.name}, a login by either form is one on both sides, and so is a logout on either.`, async t => {
      // As most sites have it: the token of forms in a cookie of its own.
      const pair = await Pair.start(t, await wayOf(name).start(t, { CSRF_USE_SESSIONS: false }))
      const { here, there } = { here: pair.app.url, there: pair.stage.site.url }
      const person = await pair.person({ is_staff: true, permissions: ['openings.view_opening'] })
      const fields = { username: person.name, password: person.password }
      const tab = await client.start(t)
      const whoHere = async () => JSON.parse((await tab.open(`${here}/me`)).text).username
      const whoThere = async () => JSON.parse((await tab.open(`${there}/whoami`)).text).username

      const login = await tab.submit(`${there}/accounts/login/`, fields)
      t.is(login.url, `${there}/whoami`)
      t.is(JSON.parse(login.text).username, person.name)
      t.is(await whoHere(), person.name)
      await tab.open(`${here}/logout`)
      t.deepEqual([await whoHere(), await whoThere()], ['', ''])

      await tab.submit(`${here}/login`, fields)
      const admin = await tab.open(`${there}/admin/openings/opening/`)
      t.is(admin.status, 200)
      t.true(admin.text.includes('0 openings'))
      t.deepEqual([await whoHere(), await whoThere()], [person.name, person.name])
      await tab.submit(`${there}/`)
      t.deepEqual([await whoHere(), await whoThere()], ['', ''])
      t.deepEqual(pair.takeFaults(), [])
    })
  }
}

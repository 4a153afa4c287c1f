import type { Browser, Page } from 'playwright-core'
import type { Client, Shown } from './client.ts'

/** Chromium, one that has been launched, with a context of its own for each. */
export function chromium(launched: () => Browser): Client {
  return {
    name: 'Chromium',

    async start(owner) {
      const context = await launched().newContext()
      owner.teardown(() => context.close())
      const page = await context.newPage()
      return {
        async open(url) {
          const response = await page.goto(url)
          return shown(page, response?.status())
        },
        async submit(url, fields = {}) {
          await page.goto(url)
          for (const [name, value] of Object.entries(fields)) await page.locator(`[name="${name}"]`).fill(value)
          const [response] = await Promise.all([page.waitForNavigation(), page.getByRole('button').click()])
          return shown(page, response?.status())
        },
      }
    },
  }
}

async function shown(page: Page, status = 0): Promise<Shown> {
  return { url: page.url(), status, text: (await page.locator('body').textContent()) ?? '' }
}

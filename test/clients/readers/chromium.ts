import { launchChromium } from '../browser.ts'
import { titlesIn } from './atom.ts'
import { addressWithSecret, type FeedReader } from './reader.ts'

export const chromium: FeedReader = {
  name: 'Chromium',
  secret: 'in the address',

  async subscribe(feed, { atEnd }) {
    const browser = await launchChromium()
    atEnd(() => browser.close())
    const page = await browser.newPage()
    return {
      async poll() {
        await page.goto(addressWithSecret(feed)).catch(error => {
          if (!String(error).includes('ERR_INVALID_AUTH_CREDENTIALS')) throw error
        })
      },
      titles: async () => titlesIn((await page.locator('body').textContent()) ?? ''),
    }
  },
}

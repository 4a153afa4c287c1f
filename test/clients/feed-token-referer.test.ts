import http, { type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Middleware } from 'koa'
import type { Browser } from 'playwright-core'
import { tokenSite } from '../feeds/token-site.ts'
import type { UsersHandler } from '../users/app.ts'
import { launchChromium } from './browser.ts'

let browser: Browser
test.before(async () => {
  browser = await launchChromium()
})
test.after.always(() => browser?.close())

/** What a site was asked for: each path with the Referer that came with it. */
class Visits {
  readonly referers: [path: string, referer: string][] = []
  readonly #paths = new Map<string, PromiseWithResolvers<void>>()

  note({ url = '', headers: { referer = '' } }: IncomingMessage): void {
    const path = url.split('?', 1)[0]!
    this.referers.push([path, referer])
    this.#asked(path).resolve()
  }

  /** Resolves when each of these has been asked for. */
  async all(paths: readonly string[]): Promise<void> {
    await Promise.all(paths.map(path => this.#asked(path).promise))
  }

  #asked(path: string): PromiseWithResolvers<void> {
    const asked = this.#paths.get(path) ?? Promise.withResolvers<void>()
    this.#paths.set(path, asked)
    return asked
  }
}

/** What a page has a browser ask for by itself, and what somebody has it ask for. */
const PARTS = ['/image.png', '/style.css', '/script.js', '/frame', '/fetched', '/sent']
const ACTIONS = ['/linked', '/submitted']
const ICON = '/icon.png'

/** A page with an icon, and with links, forms and parts on both sites. */
function pageWith(icon: string, sites: readonly string[]): string {
  const parts = sites.map(
    origin => `<link rel="stylesheet" href="${origin}/style.css"><script src="${origin}/script.js"></script>
      <img src="${origin}/image.png" alt=""><iframe src="${origin}/frame"></iframe>
      <script>fetch('${origin}/fetched', { mode: 'no-cors' }); navigator.sendBeacon('${origin}/sent')</script>
      <a href="${origin}/linked">to ${origin}</a><form action="${origin}/submitted"><button>ask ${origin}</button></form>`,
  )
  return `<!doctype html><meta charset="utf-8"><title>Jobs</title><link rel="icon" href="${icon}">${parts.join('')}`
}

/** Answers whatever the page asks for, and notes it. */
function answer(path: string): { type: string; body: string } {
  const type = { css: 'text/css', js: 'text/javascript', png: 'image/png' }[path.split('.')[1] ?? ''] ?? 'text/html'
  return { type, body: '' }
}

async function anotherSite(t: ExecutionContext, visits: Visits): Promise<string> {
  const server = http.createServer((request, response) => {
    visits.note(request)
    const { type, body } = answer(request.url!.split('?', 1)[0]!)
    response.setHeader('Content-Type', type).end(body)
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/**
 * Opens the page at a path with a token in Chromium, with an icon of each site, follows its links and sends its forms, and answers what either
 * site was told as Referer.
 */
async function openedAt(
  t: ExecutionContext,
  path: string,
): Promise<{ here: string[]; there: string[]; token: string }> {
  const [own, foreign] = [new Visits(), new Visits()]
  let sites: string[] = []
  const page: UsersHandler = ctx => {
    ctx.type = 'html'
    if (ctx.path === '/unsafe') ctx.set('Referrer-Policy', 'unsafe-url')
    return pageWith(`${sites[Number(ctx.query.icon)]}${ICON}`, sites)
  }
  const parts: Middleware = (ctx, next) => {
    own.note(ctx.req)
    if (![...PARTS, ...ACTIONS, ICON].includes(ctx.path)) return next()
    Object.assign(ctx, answer(ctx.path))
  }
  const site = await tokenSite(t, { outside: [parts], handlers: { '/feed': page, '/open': page, '/unsafe': page } })
  sites = [`http://127.0.0.1:${site.port}`, await anotherSite(t, foreign)]
  const token = await site.token()
  for (const [index, origin] of sites.entries()) {
    // Of its own, so that no icon is kept from before.
    const context = await browser.newContext()
    t.teardown(() => context.close())
    const tab = await context.newPage()
    const open = () => tab.goto(`${sites[0]}${path}?icon=${index}&token=${token}`)
    t.is((await open())?.status(), 200)
    const visits = [own, foreign][index]!
    await visits.all([...PARTS, ICON])
    await tab.getByRole('link', { name: `to ${origin}` }).click()
    await visits.all(['/linked'])
    await open()
    await tab.getByRole('button', { name: `ask ${origin}` }).click()
    await visits.all(['/submitted'])
  }
  const told = ({ referers }: Visits) =>
    referers.filter(([asked]) => [...PARTS, ...ACTIONS, ICON].includes(asked)).map(([, referer]) => referer)
  return { here: told(own), there: told(foreign), token }
}

test('B6: a real Chromium tells neither this site nor another the address of a page that was opened with a token.', async t => {
  const { here, there } = await openedAt(t, '/feed')
  for (const referers of [here, there]) {
    t.true(referers.length > PARTS.length)
    t.deepEqual([...new Set(referers)], [''])
  }
})

test('The control: without the header Chromium tells this site the token, and where it is told to, another one too.', async t => {
  const leaks = (referers: string[], token: string) => referers.filter(referer => referer.includes(token)).length
  const [open, unsafe] = await Promise.all([openedAt(t, '/open'), openedAt(t, '/unsafe')])
  t.true(leaks(open.here, open.token) > PARTS.length)
  t.true(leaks(unsafe.here, unsafe.token) > PARTS.length)
  t.true(leaks(unsafe.there, unsafe.token) > PARTS.length)
})

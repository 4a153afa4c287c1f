import type { KoaApp } from './app.ts'
import { type Finding, ok, warning } from './finding.ts'

const CHECK = 'proxy'

/** Whether the application believes a proxy that it should not, or none where there is one. @param url where the site is */
export function checkProxy({ proxy }: KoaApp, url: URL | null): Finding[] {
  if (proxy) {
    return [
      warning(
        CHECK,
        'app.proxy is true: whoever reaches this process is believed what X-Forwarded-For, -Host and -Proto say.',
        'Have it listen where only your proxy reaches it, and have the proxy set all three headers itself.',
      ),
    ]
  }
  if (url?.protocol === 'https:') {
    return [
      warning(
        CHECK,
        'app.proxy is false, and the site is served over https.',
        'Set app.proxy = true where a proxy ends TLS: else Basic logins are refused as plain http, and every client has the address of the proxy. ' +
          'All is well where this process ends TLS itself.',
      ),
    ]
  }
  return [ok(CHECK, 'app.proxy is false: X-Forwarded-* headers are believed of nobody.')]
}

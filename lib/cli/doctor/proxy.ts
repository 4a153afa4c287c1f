import { descriptionOf } from '../../described.ts'
import type { TrustedProxiesDescription } from '../../sharing/trusted-proxies.ts'
import type { InspectedApp } from './app.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const CHECK = 'proxy'
/** A network of all addresses. */
const EVERYBODY = /\/0$/

/** Whether the application believes a proxy that it should not, or none where there is one. @param url where the site is */
export function checkProxy({ app, parts }: InspectedApp, url: URL | null): Finding[] {
  const found = parts.map(part => descriptionOf<TrustedProxiesDescription>('trustedProxies()', part))
  const trusted = found.find(one => one !== null)
  if (trusted) return trustFindings(trusted, app.proxy, found[0] === trusted)
  if (app.proxy) {
    return [
      warning(
        CHECK,
        'app.proxy is true: whoever reaches this process is believed what X-Forwarded-For, -Host and -Proto say.',
        "Put trustedProxies(['127.0.0.1', …], { hosts: ['www.example', …] }) before all else: then your proxies alone are believed.",
      ),
    ]
  }
  if (url?.protocol === 'https:') {
    return [
      warning(
        CHECK,
        'app.proxy is false, and the site is served over https.',
        'Where a proxy ends TLS, set app.proxy = true and put trustedProxies(…) before all else: without, Basic logins are refused as plain ' +
          'http, and every client has the address of the proxy. All is well where this process ends TLS itself.',
      ),
    ]
  }
  return [ok(CHECK, 'app.proxy is false: X-Forwarded-* headers are believed of nobody.')]
}

function trustFindings({ networks, hosts }: TrustedProxiesDescription, proxy: boolean, isFirst: boolean): Finding[] {
  if (!proxy) {
    return [
      problem(
        CHECK,
        'trustedProxies() is there, and app.proxy is false: every request fails.',
        'Set app.proxy = true.',
      ),
    ]
  }
  const findings: Finding[] = []
  const everybody = networks.filter(network => EVERYBODY.test(network))
  if (everybody.length > 0) {
    findings.push(
      problem(
        CHECK,
        `trustedProxies() lists ${everybody.join(' and ')}: whoever connects is believed to be anybody.`,
        'List the addresses of your proxies alone.',
      ),
    )
  }
  if (hosts === null) {
    findings.push(
      warning(
        CHECK,
        'trustedProxies() takes any host: what a client sends as Host may reach absolute addresses, as those in e-mails.',
        "Name those of the site: trustedProxies(…, { hosts: ['www.example'] }).",
      ),
    )
  }
  if (!isFirst) {
    findings.push(
      warning(
        CHECK,
        'trustedProxies() is not the first middleware: what stands before it sees headers that nobody vouches for.',
        'Put it before all else.',
      ),
    )
  }
  if (findings.length > 0) return findings
  return [ok(CHECK, `X-Forwarded-* headers are believed of ${networks.join(', ')}, for ${hosts?.join(', ')}.`)]
}

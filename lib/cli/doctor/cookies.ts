import { getPublicSuffix } from 'tldts'
import type { InspectedApp } from './app.ts'
import { type Finding, ok, problem, skipped, warning } from './finding.ts'

/** Under what circumstances a cookie is looked at. */
export interface CookieSetting {
  readonly isProduction: boolean
  /** Where the site is; null where nobody said. */
  readonly url: URL | null
}

const CHECK = 'cookie'
/** Names that are looked for where the application does not say which one its session has. */
const USUAL = ['sid', '__Host-sid', '__Secure-sid', 'koa.sess', 'koa:sess']

/** The cookies that an application's layers would set. */
export function checkOwnCookies(inspected: InspectedApp, setting: CookieSetting): Finding[] {
  if (inspected.sessions.length === 0)
    return [
      skipped(
        CHECK,
        'no sessions() was found in the app: only those are that app.use() was handed, alone or in a stack().',
      ),
    ]
  return inspected.sessions.flatMap(({ cookie }) => checkCookie('sessions()', cookie.set('', 1000), setting))
}

/** Session cookies that a site has set. @param names those of the application's sessions; empty where they are not known */
export function checkSetCookies(lines: readonly string[], names: readonly string[], setting: CookieSetting): Finding[] {
  const known = names.length > 0 ? names : USUAL
  const ours = lines.filter(line => known.includes(line.slice(0, line.indexOf('='))))
  if (ours.length === 0) {
    return [
      skipped(
        CHECK,
        `${setting.url?.host ?? 'the site'} set no session cookie on this page.`,
        'Name a page that sets one with --url.',
      ),
    ]
  }
  return ours.flatMap(line => checkCookie(setting.url?.host ?? 'the site', line, setting))
}

/** Looks at one Set-Cookie line, whose value is not told. @param source who sets it, for the messages */
export function checkCookie(source: string, line: string, { isProduction, url }: CookieSetting): Finding[] {
  const { name, attributes } = parsedCookie(line)
  const [isSecure, sameSite, domain] = [attributes.has('secure'), attributes.get('samesite'), attributes.get('domain')]
  const say = (kind: typeof problem, message: string, advice: string) =>
    kind(CHECK, `${source}: the cookie ${name} ${message}`, advice)
  const found: Finding[] = []

  if (!attributes.has('httponly')) found.push(say(problem, 'is not HttpOnly.', 'Scripts can read it: set HttpOnly.'))
  if (!isSecure && (isProduction || url?.protocol === 'https:'))
    found.push(
      say(problem, 'is not Secure.', 'It travels in the clear: leave cookie.secure to NODE_ENV, or set it to true.'),
    )
  else if (!isSecure)
    found.push(say(warning, 'is not Secure.', 'Look again with NODE_ENV=production, which makes it so.'))

  if (sameSite === undefined)
    found.push(say(warning, 'has no SameSite.', "Browsers differ in what that means: say 'lax'."))
  else if (sameSite.toLowerCase() === 'none' && !isSecure)
    found.push(say(problem, 'has SameSite=None without Secure.', 'Browsers refuse it: set Secure too.'))
  else if (sameSite.toLowerCase() === 'none')
    found.push(
      say(
        warning,
        'has SameSite=None.',
        'Requests of other sites carry it: keep sameOrigin() before what changes state.',
      ),
    )

  if (domain !== undefined && getPublicSuffix(domain, { allowPrivateDomains: true }) === domain)
    found.push(
      say(problem, `has the public suffix ${domain} as its Domain.`, 'Browsers refuse it: name a domain of your own.'),
    )
  else if (domain !== undefined && url && url.hostname !== domain && !url.hostname.endsWith(`.${domain}`))
    found.push(
      say(problem, `has the Domain ${domain}, which is not the site's.`, `Browsers refuse it on ${url.hostname}.`),
    )

  const wrongPrefix =
    (name.startsWith('__Host-') && (!isSecure || domain !== undefined || attributes.get('path') !== '/')) ||
    (name.startsWith('__Secure-') && !isSecure)
  if (wrongPrefix)
    found.push(
      say(
        problem,
        'has a prefix that its attributes do not keep.',
        'Browsers refuse it: __Host- wants Secure, Path=/ and no Domain.',
      ),
    )
  else if (isSecure && !/^__(Host|Secure)-/.test(name))
    found.push(
      say(
        warning,
        'has no prefix.',
        'Other hosts of its domain can plant one: sessions() gives secure cookies __Host-.',
      ),
    )

  const traits = line
    .split('; ')
    .slice(1)
    .filter(one => !/^(max-age|expires)=/i.test(one))
  return found.length > 0 ? found : [ok(CHECK, `${source}: ${name}; ${traits.join('; ')}`)]
}

/** A Set-Cookie line's name and attributes, these by their lower-case names; the domain in lower case, without a leading dot. */
export function parsedCookie(line: string): { name: string; attributes: Map<string, string> } {
  const [pair = '', ...rest] = line.split(';')
  const attributes = rest.map((one): [string, string] => {
    const [name = '', ...value] = one.split('=')
    return [name.trim().toLowerCase(), value.join('=').trim()]
  })
  const domain = attributes.find(([name]) => name === 'domain')
  if (domain) domain[1] = domain[1].toLowerCase().replace(/^\./, '')
  return { name: pair.slice(0, pair.indexOf('=')), attributes: new Map(attributes) }
}

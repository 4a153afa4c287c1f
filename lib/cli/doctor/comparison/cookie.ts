import { bareCookieName } from '../../../sessions/cookie.ts'
import type { CookieFacts } from '../card/facts.ts'
import { type Finding, ok, problem, skipped, warning } from '../finding.ts'

const CHECK = 'shared cookie'

/** Where the two applications are; null where nobody said. */
export interface Sites {
  readonly own: URL | null
  readonly other: URL | null
}

/** Whether a browser keeps one cookie for both, and sends it to both. @param there what to call the other application */
export function compareCookies(there: string, own: CookieFacts, other: CookieFacts, sites: Sites): Finding[] {
  const differences = differencesOf(there, own, other)
  if (differences.length > 0) return differences
  const findings = own.domain === null ? hostFindings(there, sites) : domainFindings(there, own.domain, sites.other)
  for (const [site, url] of [
    ['here', sites.own],
    [there, sites.other],
  ] as const) {
    if (url && !isBelow(url.pathname, own.path))
      findings.push(
        problem(
          CHECK,
          `${site}: the cookie's Path is ${own.path}, and the site is at ${url.pathname}: browsers do not send it there.`,
          'Set cookie.path of both to a path above both.',
        ),
      )
    if (url?.protocol === 'http:' && own.isSecure)
      findings.push(
        problem(
          CHECK,
          `${site}: the cookie is Secure, and the site is at ${url.origin}: browsers do not send it there.`,
          'Serve it over https.',
        ),
      )
  }
  if (own.sameSite !== other.sameSite)
    findings.push(
      warning(
        CHECK,
        `${there}: the cookie has SameSite=${own.sameSite} here and ${other.sameSite} there: it is as the application says that set it last.`,
        'Give both the same cookie.sameSite.',
      ),
    )
  return findings.some(({ status }) => status !== 'skipped')
    ? findings
    : [ok(CHECK, `${there}: both have ${lineOf(own)}.`), ...findings]
}

/** What makes two cookies of them. */
function differencesOf(there: string, own: CookieFacts, other: CookieFacts): Finding[] {
  const differ = (trait: string, here: string, elsewhere: string, advice: string) =>
    problem(CHECK, `${there}: ${trait} is ${here} here and ${elsewhere} there: browsers keep two cookies.`, advice)
  const yesNo = (is: boolean) => (is ? 'set' : 'not set')
  const found: Finding[] = []
  if (bareCookieName(own.name) !== bareCookieName(other.name))
    found.push(differ("the cookie's name", own.name, other.name, 'Give both the same cookie.name.'))
  if (own.domain !== other.domain)
    found.push(
      differ(
        "the cookie's Domain",
        own.domain ?? 'none',
        other.domain ?? 'none',
        'Set cookie.domain of both to one domain above both hosts.',
      ),
    )
  if (own.path !== other.path)
    found.push(differ("the cookie's Path", own.path, other.path, 'Set cookie.path of both to one path above both.'))
  if (own.isSecure !== other.isSecure)
    found.push(
      differ(
        "the cookie's Secure",
        yesNo(own.isSecure),
        yesNo(other.isSecure),
        'Run both with NODE_ENV=production, or set cookie.secure of both. Look at both in the environments in which they are deployed.',
      ),
    )
  if (own.isPartitioned !== other.isPartitioned)
    found.push(
      differ(
        "the cookie's Partitioned",
        yesNo(own.isPartitioned),
        yesNo(other.isPartitioned),
        'Give both the same cookie.partitioned.',
      ),
    )
  return found
}

/** Of a cookie that is one host's own. */
function hostFindings(there: string, { own, other }: Sites): Finding[] {
  const advice = 'Set cookie.domain of both to one domain above both hosts'
  if (!own || !other)
    return [
      warning(
        CHECK,
        `${there}: the cookie has no Domain, so browsers send it to the host alone that set it, and the two hosts are not known.`,
        `${advice}; or, where they are one, name it with --url on both sides.`,
      ),
    ]
  if (own.hostname === other.hostname) return []
  return [
    problem(
      CHECK,
      `${there}: the cookie has no Domain, so browsers do not send that of ${own.hostname} to ${other.hostname}.`,
      `${advice}.`,
    ),
  ]
}

/** Of a domain whether it covers the other's host. The own one's is looked at with the own cookies. */
function domainFindings(there: string, domain: string, other: URL | null): Finding[] {
  if (!other)
    return [skipped(CHECK, `${there}: its host is not known.`, 'Name it with --url where its card is written.')]
  if (other.hostname === domain || other.hostname.endsWith(`.${domain}`)) return []
  return [
    problem(
      CHECK,
      `${there}: the cookie's Domain ${domain} does not cover its host ${other.hostname}.`,
      'Set cookie.domain of both to one domain above both hosts. Where they have none in common, they cannot share a login.',
    ),
  ]
}

/** Whether a request for this path carries a cookie of that one (RFC 6265 §5.1.4). */
function isBelow(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
}

function lineOf({ name, domain, path, isSecure, sameSite }: CookieFacts): string {
  return [
    name,
    ...(domain === null ? [] : [`Domain=${domain}`]),
    `Path=${path}`,
    ...(isSecure ? ['Secure'] : []),
    `SameSite=${sameSite}`,
  ].join('; ')
}

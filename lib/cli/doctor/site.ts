import { reasonOf } from '../failure.ts'
import { type CookieSetting, checkSetCookies } from './cookies.ts'
import { type Finding, ok, problem, skipped, warning } from './finding.ts'

const DEADLINE = 5_000
/** Half a year: below it, browsers forget between two visits. */
const LEAST_HSTS = 15_552_000

/**
 * Fetches the site's page once, and its twin over http where that has the usual ports, and looks at what the answers say of themselves.
 * @param names of the application's session cookies; empty where they are not known
 */
export async function checkSite(url: URL, names: readonly string[], setting: CookieSetting): Promise<Finding[]> {
  let answer: Response
  try {
    answer = await get(url)
  } catch (error) {
    return [
      problem(
        'site',
        `${url.host} does not answer: ${reasonOf(causeOf(error))}`,
        'Is it there, and is its certificate one that is known here?',
      ),
    ]
  }
  if (url.protocol === 'http:') return [redirectFinding(url, answer)]
  return [
    hstsFinding(url, answer.headers.get('strict-transport-security')),
    await plainFinding(url),
    ...checkSetCookies(answer.headers.getSetCookie(), names, setting),
  ]
}

async function plainFinding(url: URL): Promise<Finding> {
  if (url.port !== '')
    return skipped('redirect', `the port of ${url.host} over http is not known.`, 'Name it with --url http://…')
  const plain = new URL(url)
  plain.protocol = 'http:'
  return get(plain).then(
    answer => redirectFinding(plain, answer),
    () => ok('redirect', `${url.host} does not answer over http.`),
  )
}

/** Whether plain http leads to https, and to nothing else. */
function redirectFinding(url: URL, { status, headers }: Response): Finding {
  const location = headers.get('location')
  const target = location !== null && URL.canParse(location, url.href) ? new URL(location, url.href) : null
  if (status >= 300 && status < 400 && target?.protocol === 'https:')
    return ok('redirect', `http://${url.host} leads to https (${status}).`)
  return problem(
    'redirect',
    `http://${url.host} is answered with ${status}, and does not lead to https.`,
    'Answer http with 301 or 308 to the same address over https.',
  )
}

function hstsFinding({ host }: URL, header: string | null): Finding {
  const age = Number(/max-age="?(\d+)/i.exec(header ?? '')?.[1] ?? 0)
  if (age >= LEAST_HSTS) return ok('hsts', `${host}: max-age is ${Math.round(age / 86_400)} days.`)
  return warning(
    'hsts',
    header === null ? `${host} sends no Strict-Transport-Security.` : `${host}: max-age is only ${age} seconds.`,
    'A first request over http can be caught: send Strict-Transport-Security: max-age=31536000 when all is well over https.',
  )
}

/** Without credentials that the URL may hold, and without following where it leads. */
async function get(url: URL): Promise<Response> {
  const bare = new URL(url)
  bare.username = bare.password = ''
  const answer = await fetch(bare, { redirect: 'manual', signal: AbortSignal.timeout(DEADLINE) })
  await answer.body?.cancel()
  return answer
}

/** Why, of what `fetch` says only "failed" about. */
function causeOf(error: unknown): unknown {
  return (error instanceof Error && error.cause) || error
}

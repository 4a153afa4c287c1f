/** Starts a Django site, the Koa application beside it and an nginx: `npm run recipe -- beside-django`. PORT and DJANGO_SETTINGS_MODULE can be set. */
import { type Demonstration, demonstrate } from '../demonstration.ts'
import { ADA, GRACE, MIRA } from './example.ts'
import { startSite } from './site.ts'

async function start(owner: Demonstration): Promise<string> {
  const port = Number(process.env.PORT ?? 3000)
  const settings = process.env.DJANGO_SETTINGS_MODULE
  const { origin, nginx, django, koa } = await startSite(owner, { settings, ...(port !== 0 && { port }) })
  const curl = 'curl --silent'
  const jar = '--cookie-jar cookies --cookie cookies'
  const reader = new URL('/feeds/openings.atom', origin)
  reader.username = encodeURIComponent(ADA.username)
  reader.password = encodeURIComponent(ADA.password)
  return `The site is at ${origin}/
That is an nginx (pid ${nginx.pid}). Behind it: Django, at ${django.url} (pid ${django.pid}), and for /feeds Koa, at ${koa}.

Who can log in at ${origin}/accounts/login/, and the password:
  ${ADA.username.padEnd(5)}  ${ADA.password}  (may read drafts)
  ${GRACE.username.padEnd(5)}  ${GRACE.password}  (and at ${origin}/admin/)
Who has no record in Django, and can log in at ${origin}/feeds/login:
  ${MIRA.username.padEnd(5)}  ${MIRA.password}

Log in at Django's form, and read a feed of Koa's:
  ${curl} ${jar} --output /dev/null ${origin}/accounts/login/
  ${curl} ${jar} --data-urlencode "csrfmiddlewaretoken=$(awk '/csrftoken/ { print $7 }' cookies)" --data-urlencode 'username=${ADA.username}' --data-urlencode 'password=${ADA.password}' ${origin}/accounts/login/
  ${curl} ${jar} ${origin}/feeds/openings.atom
Log out at Koa: Django knows nobody either. 401, and the page that says to log in.
  ${curl} ${jar} --request POST ${origin}/feeds/logout
  ${curl} ${jar} --include ${origin}/feeds/openings.atom
  ${curl} ${jar} ${origin}/
Log in at Koa, and Django's page greets you:
  ${curl} ${jar} --data-urlencode 'username=${ADA.email}' --data-urlencode 'password=${ADA.password}' ${origin}/feeds/login
  ${curl} ${jar} ${origin}/
A feed reader, with the name and the password that Django knows:
  printf '%s\\n' '${reader.href}' > urls
  env HOME=. newsboat -u urls -c cache.db -C /dev/null -x reload print-unread

Ctrl-C ends it, Django and nginx included.`
}

await demonstrate(start)

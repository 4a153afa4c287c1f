import { readFileSync } from 'node:fs'

/** Where the parts of this recipe are on the machine that it is tried on. Ports are of 127.0.0.1. */
export interface Places {
  /** What HAProxy listens on over plain http, and over https. */
  readonly ports: { readonly http: number; readonly https: number }
  /** The processes of the app. */
  readonly apps: readonly number[]
  /** The file of the certificate and its key. */
  readonly certificate: string
  /** Who may see /staff, and their passwords. @default those of haproxy.cfg */
  readonly staff?: Readonly<Record<string, string>>
}

/** The haproxy.cfg of this recipe with other places in it: nothing else is changed. */
export function proxyConfiguration({ ports, apps, certificate, staff }: Places): string {
  const configuration = readFileSync(new URL('haproxy.cfg', import.meta.url), 'utf8')
  const { user = '' } = /(?<user>^ {2}user .*\n)/m.exec(configuration)?.groups ?? {}
  const replacements: [here: string, there: string, times?: number][] = [
    ['bind :80\n', `bind 127.0.0.1:${ports.http}\n`],
    ['bind :443 ', `bind 127.0.0.1:${ports.https} `],
    ['/etc/haproxy/site.pem', certificate],
    ['www.pool.example', '127.0.0.1'],
    // There is one of these names on a machine.
    ['abns@processes', `abns@processes-${ports.http}`, 2],
    ['  server one 127.0.0.1:3001\n', apps.map((app, index) => `  server app${index} 127.0.0.1:${app}\n`).join('')],
    ['  server two 127.0.0.1:3002\n', ''],
    [user, staff ? userLines(staff) : user],
  ]
  return replacements.reduce((text, [here, there, times = 1]) => {
    const parts = text.split(here)
    if (parts.length !== times + 1) throw new Error(`haproxy.cfg does not have '${here}' as often as it should.`)
    return parts.join(there)
  }, configuration)
}

/** Passwords as they are, for what is tried here. */
function userLines(staff: Readonly<Record<string, string>>): string {
  return Object.entries(staff)
    .map(([name, password]) => `  user ${quoted(name)} insecure-password ${quoted(password)}\n`)
    .join('')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Certificate } from '../../test/servers/certificate.ts'

/** Where the parts of this recipe are on the machine that it is tried on. Ports are of 127.0.0.1. */
export interface Places {
  /** What nginx.conf says behind `listen` where it sends everybody on to https, as `127.0.0.1:3001`. */
  readonly http: readonly string[]
  /** The same for the site itself, as `127.0.0.1:3000 ssl`. */
  readonly https: readonly string[]
  /** What people see the site at. */
  readonly origin: string
  /** The processes of the app. */
  readonly apps: readonly number[]
  /** The program beside it. */
  readonly archive: number
  readonly certificate: Certificate
  /** The file that says who may see /staff. */
  readonly staff: string
  /** The folder that `documents/` is in. @default this recipe's */
  readonly root?: string
  /** The file that choir-headers.conf is. @default this recipe's */
  readonly headers?: string
}

/** The nginx.conf of this recipe with other places in it: nothing else is changed. */
export function proxyConfiguration({ apps, certificate, ...places }: Places): string {
  const { root = fileURLToPath(new URL('.', import.meta.url)), headers = pathOf('choir-headers.conf') } = places
  const configuration = readFileSync(pathOf('nginx.conf'), 'utf8')
  const first = /^ +server 127\.0\.0\.1:3001 .*\n/m.exec(configuration)?.[0] ?? ''
  const app = (port: number) => first.replace('3001', String(port))
  const replacements: [here: string, there: string, times?: number][] = [
    [first, apps.map(app).join('')],
    [app(3002), ''],
    ['server 127.0.0.1:3003;', `server 127.0.0.1:${places.archive};`],
    ['listen 80;', listening(places.http)],
    ['listen 443 ssl;', listening(places.https)],
    ['https://www.choir.example$', `${places.origin}$`],
    ['/etc/nginx/choir/certificate.pem', certificate.certificate],
    ['/etc/nginx/choir/key.pem', certificate.key],
    ['/etc/nginx/choir/staff', places.staff],
    ['/srv/choir', root],
    ['/etc/nginx/snippets/choir.conf', headers, 5],
  ]
  return replacements.reduce((text, [here, there, times = 1]) => {
    const parts = text.split(here)
    if (parts.length !== times + 1) throw new Error(`nginx.conf does not have '${here}' as often as it should.`)
    return parts.join(there)
  }, configuration)
}

function listening(addresses: readonly string[]): string {
  return addresses.map(address => `listen ${address};`).join(' ')
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** The lines of a file for `auth_basic_user_file`. Hashes that are quick to check, for what is tried here; the README has better ones. */
export function passwordFile(people: Readonly<Record<string, string>>): string {
  return Object.entries(people)
    .map(([name, password]) => {
      const salt = randomBytes(8)
      const digest = createHash('sha1').update(password).update(salt).digest()
      return `${name}:{SSHA}${Buffer.concat([digest, salt]).toString('base64')}\n`
    })
    .join('')
}

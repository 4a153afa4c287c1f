import { readFileSync } from 'node:fs'

/** Where the parts of this recipe are on the machine that it is tried on. */
export interface Places {
  /** The ports of 127.0.0.1 that Apache listens on. */
  readonly http: number
  readonly https: number
  /** The port of the app. */
  readonly app: number
  /** The path of the file of those who may see the site. */
  readonly passwords: string
  /** The paths of the certificate and its key. */
  readonly certificate: string
  readonly key: string
}

/** The modules that apache.conf needs, with those that Debian has on anyway. */
export const MODULES = [
  ...['alias', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_basic'],
  ...['headers', 'proxy', 'proxy_http', 'socache_shmcb', 'ssl'],
]

/** The apache.conf of this recipe with other places in it: nothing else is changed. */
export function proxyConfiguration({ http, https, app, passwords, certificate, key }: Places): string {
  return [
    ['<VirtualHost *:80>', `<VirtualHost 127.0.0.1:${http}>`],
    ['<VirtualHost *:443>', `<VirtualHost 127.0.0.1:${https}>`],
    ['"https://keys.example/"', `"https://127.0.0.1:${https}/"`],
    ['"http://127.0.0.1:3000/"', `"http://127.0.0.1:${app}/"`],
    ['"/etc/apache2/keys.htpasswd"', `"${passwords}"`],
    ['"/etc/ssl/certs/keys.example.pem"', `"${certificate}"`],
    ['"/etc/ssl/private/keys.example.key"', `"${key}"`],
  ].reduce(
    (text, [here, there]) => {
      if (text.split(here!).length !== 2) throw new Error(`apache.conf has '${here}' not once.`)
      return text.replace(here!, there!)
    },
    readFileSync(new URL('apache.conf', import.meta.url), 'utf8'),
  )
}

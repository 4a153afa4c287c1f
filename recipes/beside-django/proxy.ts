import { readFileSync } from 'node:fs'

/** Where the parts of this recipe are on the machine that it is tried on. */
export interface Places {
  /** The ports of 127.0.0.1 that nginx listens on. */
  readonly ports: readonly number[]
  /** The port of Django. */
  readonly django: number
  /** The port of the Koa application. */
  readonly koa: number
  /** The folder of Django's static files. */
  readonly staticFiles: string
}

/** The nginx.conf of this recipe with other places in it: nothing else is changed. */
export function proxyConfiguration({ ports, django, koa, staticFiles }: Places): string {
  const listen = ports.map(port => `listen 127.0.0.1:${port};`).join(' ')
  return [
    ['listen 80;', listen],
    ['server 127.0.0.1:8000;', `server 127.0.0.1:${django};`],
    ['server 127.0.0.1:3000;', `server 127.0.0.1:${koa};`],
    ['/srv/jobs/static/', `${staticFiles}/`],
  ].reduce(
    (text, [here, there]) => {
      if (text.split(here!).length !== 2) throw new Error(`nginx.conf has '${here}' not once.`)
      return text.replace(here!, there!)
    },
    readFileSync(new URL('nginx.conf', import.meta.url), 'utf8'),
  )
}

import { readFileSync } from 'node:fs'

/** Where the parts of this recipe are on the machine that it is tried on. */
export interface Places {
  /** The ports of 127.0.0.1 that nginx listens on. */
  readonly ports: readonly number[]
  /** The port of the app. */
  readonly app: number
  /** For the cache and the log. */
  readonly folder: string
}

/** The nginx.conf of this recipe with other places in it: nothing else is changed. */
export function proxyConfiguration({ ports, app, folder }: Places): string {
  const listen = ports.map(port => `listen 127.0.0.1:${port};`).join(' ')
  return [
    ['listen 80;', listen],
    ['server 127.0.0.1:3000;', `server 127.0.0.1:${app};`],
    ['/var/cache/nginx/', `${folder}/`],
    ['/var/log/nginx/', `${folder}/`],
  ].reduce(
    (text, [here, there]) => {
      if (text.split(here!).length !== 2) throw new Error(`nginx.conf has '${here}' not once.`)
      return text.replace(here!, there!)
    },
    readFileSync(new URL('nginx.conf', import.meta.url), 'utf8'),
  )
}

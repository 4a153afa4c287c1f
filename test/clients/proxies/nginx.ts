import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { passwordFile, proxyConfiguration } from '../../../recipes/behind-nginx/proxy.ts'
import { startNginx } from '../../servers/nginx.ts'
import type { Owner } from '../../servers/owner.ts'
import type { Behind, ProxyUnderTest, RunningProxy } from './proxy.ts'

const HEADERS = new URL('../../../recipes/behind-nginx/choir-headers.conf', import.meta.url)
/** Where nobody listens: the recipe's program beside the app has no part in this. */
const NOBODY = 1

/** nginx as `recipes/behind-nginx` has it. */
export const nginx: ProxyUnderTest = {
  name: 'nginx',
  start: (owner, behind) => start(owner, behind),
  startCareless: (owner, behind) =>
    start(owner, behind, {
      http: 'underscores_in_headers on;\n',
      headers: text => without(text, 'proxy_set_header X-Remote-User "";'),
    }),
}

interface Carelessness {
  /** More lines for the `http` block. */
  readonly http: string
  /** What becomes of choir-headers.conf. */
  headers(text: string): string
}

const NONE: Carelessness = { http: '', headers: text => text }

async function start(owner: Owner, behind: Behind, careless = NONE): Promise<RunningProxy> {
  let [http, https] = ['', '']
  await startNginx(owner, {
    morePorts: 2,
    http({ port, morePorts, folder }) {
      const [tls, plain] = morePorts.map(one => `127.0.0.1:${one}`)
      ;[http, https] = [`http://${plain}`, `https://${tls}`]
      const [staff, headers] = [join(folder, 'staff'), join(folder, 'headers')]
      writeFileSync(staff, passwordFile(behind.staff))
      writeFileSync(headers, careless.headers(readFileSync(HEADERS, 'utf8')))
      const places = { origin: https, archive: NOBODY, staff, headers }
      // The site itself over plain http as well, which the recipe sends on to https.
      const listens = { http: [`127.0.0.1:${port}`], https: [`${tls} ssl`, plain!] }
      return careless.http + proxyConfiguration({ ...behind, ...places, ...listens })
    },
  })
  return { http, https }
}

function without(text: string, line: string): string {
  if (!text.includes(line)) throw new Error(`choir-headers.conf does not have '${line}'.`)
  return text.replace(line, '')
}

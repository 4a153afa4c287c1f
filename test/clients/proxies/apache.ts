import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashSync } from '@node-rs/bcrypt'
import { MODULES, proxyConfiguration } from '../../../recipes/behind-apache/proxy.ts'
import { startApache } from '../../servers/apache.ts'
import type { Owner } from '../../servers/owner.ts'
import type { Behind, ProxyUnderTest, RunningProxy } from './proxy.ts'

/** The prefix below which recipes/behind-apache has the app. */
const PREFIX = '/webapps'
/** The least that bcrypt takes: what it costs to guess these passwords does not matter. */
const COST = 4

/** Apache httpd, as in recipes/behind-apache. */
export const apache: ProxyUnderTest = {
  name: 'apache',
  start: (owner, behind) => startBehind(owner, behind, configuration => configuration),
  startCareless: (owner, behind) =>
    startBehind(owner, behind, configuration =>
      configuration.replace(/^ *RequestHeader (unset X.Remote|edit ).*$/gm, ''),
    ),
}

async function startBehind(
  owner: Owner,
  { apps, certificate, staff }: Behind,
  adapt: (configuration: string) => string,
): Promise<RunningProxy> {
  let [http, https] = ['', '']
  await startApache(owner, {
    modules: MODULES,
    morePorts: 2,
    configuration({ port, morePorts, folder }) {
      const [tls, plain] = morePorts
      ;[http, https] = [`http://127.0.0.1:${plain}${PREFIX}`, `https://127.0.0.1:${tls}${PREFIX}`]
      const passwords = join(folder, 'webapps.htpasswd')
      const lines = Object.entries(staff).map(([name, password]) => `${name}:${hashSync(password, COST)}\n`)
      writeFileSync(passwords, lines.join(''))
      const places = {
        http: port,
        https: tls!,
        apps,
        passwords,
        certificate: certificate.certificate,
        key: certificate.key,
      }
      // The site itself over plain http as well, which the recipe sends on to https.
      const beside = `<VirtualHost 127.0.0.1:${plain}>\n  Use Webapps\n</VirtualHost>\n`
      return adapt(proxyConfiguration(places) + beside)
    },
  })
  return { http, https }
}

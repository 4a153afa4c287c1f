import { proxyConfiguration } from '../../../recipes/behind-haproxy/proxy.ts'
import { startHaproxy } from '../../servers/haproxy.ts'
import type { Owner } from '../../servers/owner.ts'
import type { Behind, ProxyUnderTest, RunningProxy } from './proxy.ts'

/** HAProxy as `recipes/behind-haproxy` has it. */
export const haproxy: ProxyUnderTest = {
  name: 'haproxy',
  start: (owner, behind) => start(owner, behind),
  startCareless: (owner, behind) => start(owner, behind, passingOn),
}

async function start(owner: Owner, behind: Behind, adapt = (text: string) => text): Promise<RunningProxy> {
  const { apps, staff, certificate } = behind
  let [http, https] = ['', '']
  await startHaproxy(owner, {
    morePorts: 1,
    configuration({ port, morePorts: [tls = 0] }) {
      ;[http, https] = [`http://127.0.0.1:${port}`, `https://127.0.0.1:${tls}`]
      const ports = { http: port, https: tls }
      return adapt(proxyConfiguration({ ports, apps, staff, certificate: certificate.both }))
    },
  })
  return { http, https }
}

/** It removes nothing that a client sends. */
function passingOn(configuration: string): string {
  const careless = configuration.replaceAll(/^ {2}http-request del-header .*\n/gm, '')
  if (careless === configuration) throw new Error('haproxy.cfg removes no header as it is.')
  return careless
}

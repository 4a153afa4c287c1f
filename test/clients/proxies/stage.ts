import { type Certificate, makeCertificate } from '../../servers/certificate.ts'
import type { Owner } from '../../servers/owner.ts'
import { PROXIES } from './proxies.ts'
import type { Behind, ProxyUnderTest, RunningProxy } from './proxy.ts'
import { type Site, startSite } from './site.ts'

/** Who may pass the proxies to /staff, and the password. */
export const STAFF = { username: 'grace', password: 'grace pw' }

/** A site with every proxy in front of it. */
export interface Stage {
  readonly site: Site
  readonly certificate: Certificate
  /** The proxies that run, by their names. */
  readonly running: Readonly<Record<string, RunningProxy>>
  /** The same proxies in front of the same site, started in another way. */
  again(start: (proxy: ProxyUnderTest, behind: Behind) => Promise<RunningProxy>): Promise<Record<string, RunningProxy>>
}

/** @param secure whether the session's cookie is for https only */
export async function startStage(owner: Owner, { secure }: { secure: boolean }): Promise<Stage> {
  const [site, certificate] = await Promise.all([startSite(owner, { secure }), makeCertificate()])
  const behind: Behind = {
    apps: site.processes.map(({ port }) => port),
    certificate,
    staff: { [STAFF.username]: STAFF.password },
  }
  const again: Stage['again'] = async start =>
    Object.fromEntries(await Promise.all(PROXIES.map(async proxy => [proxy.name, await start(proxy, behind)] as const)))
  return { site, certificate, again, running: await again(proxy => proxy.start(owner, behind)) }
}

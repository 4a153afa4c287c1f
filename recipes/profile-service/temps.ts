import type { ProfileSource } from 'koa-strata'

/** Somebody whom an agency has sent. */
export interface Temp {
  readonly agency: string
}

/**
 * Profiles that are computed: people of the backend named whose e-mail address is of an agency are its people. Nobody is asked, so it cannot
 * fail. The backend has to vouch for the address; one that people enter themselves would be anybody's way to a profile.
 * @param agencies the names of the agencies by the domain of their addresses, in lower case
 */
export function temps(backend: string, agencies: ReadonlyMap<string, string>): ProfileSource<Temp> {
  return {
    async find(user) {
      const [, domain = ''] = /@([^@]+)$/.exec(user.email ?? '') ?? []
      const agency = user.backend === backend ? agencies.get(domain.toLowerCase()) : undefined
      return agency === undefined ? null : { agency }
    },
  }
}

import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

interface Kept {
  readonly payload: AdapterPayload
  /** In epoch milliseconds. */
  readonly until: number
}

/** Where an identity provider keeps logins, codes and tokens: in memory, as long as they are good. */
export function memory(): AdapterFactory {
  const everything = new Map<string, Map<string, Kept>>()
  return kind => {
    const kept = new Map<string, Kept>()
    everything.set(kind, kept)
    const find = (test: (payload: AdapterPayload, id: string) => boolean): AdapterPayload | undefined => {
      for (const [id, { payload, until }] of kept) {
        if (until <= Date.now()) kept.delete(id)
        else if (test(payload, id)) return payload
      }
      return undefined
    }
    const adapter: Adapter = {
      async upsert(id, payload, lifetime = Number.POSITIVE_INFINITY) {
        kept.set(id, { payload, until: Date.now() + lifetime * 1000 })
      },
      find: async wanted => find((_, id) => id === wanted),
      findByUid: async uid => find(payload => payload.uid === uid),
      findByUserCode: async code => find(payload => payload.userCode === code),
      async consume(id) {
        const found = kept.get(id)
        if (found) found.payload.consumed = Math.floor(Date.now() / 1000)
      },
      async destroy(id) {
        kept.delete(id)
      },
      async revokeByGrantId(grant) {
        for (const ofKind of everything.values()) {
          for (const [id, { payload }] of ofKind) if (payload.grantId === grant) ofKind.delete(id)
        }
      },
    }
    return adapter
  }
}

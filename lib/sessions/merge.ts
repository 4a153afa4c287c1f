import type { Snapshot } from './data.ts'
import type { SessionData } from './store.ts'

/** What one request did to the top-level keys: the JSON it set, or null for a key it deleted. */
export type Changes = ReadonlyMap<string, string | null>

/** What leads from `base` to `now`, key by key and exactly. */
export function changesBetween(base: Snapshot, now: Snapshot): Changes {
  const changes = new Map<string, string | null>()
  for (const [key, json] of now) {
    if (base.get(key) !== json) changes.set(key, json)
  }
  for (const key of base.keys()) {
    if (!now.has(key)) changes.set(key, null)
  }
  return changes
}

/**
 * The three-way merge: what is stored by now, with this request's own changes over it. Keys that this request left alone keep what others
 * stored; where both changed one key, the later save wins. Values are copies.
 */
export function applyChanges(stored: SessionData, changes: Changes): SessionData {
  const merged = { ...stored }
  for (const [key, json] of changes) {
    if (json === null) delete merged[key]
    else merged[key] = JSON.parse(json)
  }
  return merged
}

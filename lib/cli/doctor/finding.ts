/** What a check found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string
  /** `skipped`: it could not be looked at; the message says why. */
  readonly status: 'ok' | 'warning' | 'problem' | 'skipped'
  readonly message: string
  /** What to do. */
  readonly advice?: string
}

/** All is well. */
export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message }
}

/** It could not be looked at. @param advice what would let it be */
export function skipped(check: string, message: string, advice?: string): Finding {
  return { check, status: 'skipped', message, ...(advice && { advice }) }
}

/** Something that may be meant, and is worth a look. */
export function warning(check: string, message: string, advice: string): Finding {
  return { check, status: 'warning', message, advice }
}

/** Something that breaks, or lets somebody in. */
export function problem(check: string, message: string, advice: string): Finding {
  return { check, status: 'problem', message, advice }
}

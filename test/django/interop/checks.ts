import { cacheChecks } from './caches.ts'
import type { InteropChecks } from './check.ts'
import { dataChecks } from './data.ts'
import { cookieEndingChecks, endingChecks, serverEndingChecks } from './endings.ts'
import { feedChecks } from './feeds.ts'
import { lifetimeChecks, rowLifetimeChecks } from './lifetimes.ts'
import { loginChecks, renewalChecks } from './logins.ts'
import { cookieMistakeChecks, mistakeChecks, rowMistakeChecks } from './mistakes.ts'

/** What holds between a live Django and an application beside it, as data: for each way in which Django keeps sessions. */
export const interopChecks: InteropChecks = Object.freeze({
  ...loginChecks,
  ...renewalChecks,
  ...endingChecks,
  ...serverEndingChecks,
  ...cookieEndingChecks,
  ...dataChecks,
  ...lifetimeChecks,
  ...rowLifetimeChecks,
  ...cacheChecks,
  ...mistakeChecks,
  ...rowMistakeChecks,
  ...cookieMistakeChecks,
  ...feedChecks,
})

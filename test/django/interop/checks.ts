import { cacheChecks } from './caches.ts'
import type { InteropChecks } from './check.ts'
import { dataChecks } from './data.ts'
import { cookieEndingChecks, endingChecks, serverEndingChecks } from './endings.ts'
import { feedChecks } from './feeds.ts'
import { lifetimeChecks, rowLifetimeChecks } from './lifetimes.ts'
import { loginChecks, renewalChecks } from './logins.ts'
import { cookieMistakeChecks, mistakeChecks, rowMistakeChecks } from './mistakes.ts'

/** That there is one login, and one session's data. */
const oneLoginChecks: InteropChecks = {
  ...loginChecks,
  ...renewalChecks,
  ...endingChecks,
  ...serverEndingChecks,
  ...cookieEndingChecks,
  ...dataChecks,
  ...lifetimeChecks,
  ...rowLifetimeChecks,
  ...cacheChecks,
  ...feedChecks,
}

/** That what is not understood here is left as it is. */
export const leftAloneChecks: InteropChecks = { ...mistakeChecks, ...rowMistakeChecks, ...cookieMistakeChecks }

/** What holds between a live Django and an application beside it, as data: for each way in which Django keeps sessions. */
export const interopChecks: InteropChecks = Object.freeze({ ...oneLoginChecks, ...leftAloneChecks })

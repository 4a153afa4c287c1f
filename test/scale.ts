/**
 * The one factor between `npm run soak`, which runs the counts that the promises name, and `npm test`, which runs a tenth of them.
 */
export function scaled(count: number): number {
  return process.env.STRATA_SOAK === '1' ? count : Math.ceil(count / 10)
}

/** How long a test of such counts may take, in milliseconds: for `t.timeout()`, beyond what AVA grants a test that is not heard of. */
export const LONG = 1_800_000

/**
 * The one factor between `npm run soak`, which runs the counts that the promises name, and `npm test`, which runs a tenth of them.
 */
export function scaled(count: number): number {
  return process.env.STRATA_SOAK === '1' ? count : Math.ceil(count / 10)
}

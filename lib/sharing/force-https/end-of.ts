/** Where what a sticky pattern matches from there on ends; `from` itself where it matches nothing there. */
export function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : from
}

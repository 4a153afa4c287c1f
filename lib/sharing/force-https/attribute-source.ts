import { parseFragment } from 'parse5'

/** Where the value of an attribute that has one stands within the attribute, as in `src = "x"`. */
export function valueSpan(source: string, name: string): { start: number; end: number } {
  const [equals, quote] = /^[\t\n\f\r ]*=[\t\n\f\r ]*(["']?)/.exec(source.slice(name.length))!
  return { start: name.length + equals.length, end: source.length - quote!.length }
}

/**
 * For each code unit of a value up to `last` where its spelling begins in the source: character references and line ends take more room there. Behind
 * the value it is where the source ends.
 */
export function spellings(source: string, last: number): number[] {
  const starts: number[] = []
  let at = 0
  const plainUntil = (end: number) => {
    while (at < end && starts.length <= last) starts.push(at++)
  }
  for (const { 0: spelling, index } of source.matchAll(/&(?:#x[\da-f]+|#\d+|[\da-z]+);?|\r\n/gi)) {
    plainUntil(index)
    if (starts.length > last) return starts
    const end = index + spelling.length
    const decoded = spelling === '\r\n' ? '\n' : decode(spelling, source[end] ?? '')
    // No reference is spelt as it reads, so these are plain characters.
    if (decoded === spelling) plainUntil(end)
    else {
      for (let unit = 0; unit < decoded.length; unit++) starts.push(at)
      at = end
    }
  }
  plainUntil(source.length)
  return starts.length > last ? starts : [...starts, at]
}

/** A name without a semicolon that '=' follows is no reference in an attribute. */
function decode(spelling: string, next: string): string {
  const follows = next === '=' ? next : ''
  const [element] = parseFragment(`<a title="${spelling}${follows}">`).childNodes
  const value = element && 'attrs' in element ? element.attrs[0]!.value : spelling
  return follows ? value.slice(0, -1) : value
}

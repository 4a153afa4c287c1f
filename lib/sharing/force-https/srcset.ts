import { endOf } from './end-of.ts'

const GAP = /[\t\n\f\r ,]*/y
const URL = /[^\t\n\f\r ]+/y

/** Where the addresses of the candidates stand in a `srcset`, by the HTML standard's "parse a srcset attribute". */
export function candidateAddresses(srcset: string): { start: number; end: number }[] {
  const found = []
  let at = endOf(GAP, srcset, 0)
  while (at < srcset.length) {
    const next = endOf(URL, srcset, at)
    let end = next
    while (srcset[end - 1] === ',') end--
    found.push({ start: at, end })
    at = endOf(GAP, srcset, end < next ? next : endOfDescriptors(srcset, next))
  }
  return found
}

/** A comma ends the descriptors of a candidate, except within parentheses. */
function endOfDescriptors(srcset: string, from: number): number {
  let isWithin = false
  for (let at = from; at < srcset.length; at++) {
    const character = srcset[at]
    if (isWithin) isWithin = character !== ')'
    else if (character === '(') isWithin = true
    else if (character === ',') return at
  }
  return srcset.length
}

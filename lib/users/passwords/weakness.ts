import { canonicalForm, LONGEST_EMAIL } from '../canonical.ts'

/** Why a password is among the first that somebody would try. */
export type Weakness = 'repeated' | 'run' | 'common' | 'own'

/** What a password is compared with. */
export interface Expected {
  /** Common passwords, in canonical form. */
  readonly common: ReadonlySet<string>
  /** What the person goes by: name, address. */
  readonly own: readonly string[]
  /** Below how many code points something that is repeated counts as short. */
  readonly shortBelow: number
}

/** Fewer different characters than this are a repetition, whatever their order. */
const LEAST_DIFFERENT = 5
/** Runs of this many characters, on average, make a password one long run. */
const RUN_LENGTH = 3
/** Shorter names stand in many a password by chance. */
const LEAST_OWN = 2
/** What parts an address, and parts its parts. */
const SEPARATORS = [/@/, /[\s.@]+/, /[^\p{L}\p{M}\p{N}]+/u]

/** Keys that lie beside one another: rows and columns of the usual layouts. Letters and digits that follow one another need no row. */
const KEYS =
  '90 qwertyuiop asdfghjkl zxcvbnm qwertzuiopü asdfghjklöä yxcvbnm azertyuiop qsdfghjklm wxcvbn !@#$%^&*() 1qaz 2wsx 3edc 4rfv 5tgb 6yhn ' +
  '7ujm 8ik 9ol 0p йцукенгшщзхъ фывапролджэ ячсмитьбю'
const NEIGHBOURS: ReadonlySet<string> = neighbours(KEYS)

/**
 * Why the password as a whole is to be expected, or null. It is listed, belongs to the person, repeats something short, or is a run such as
 * '123456789012345'; or so it is but for case, spaces and marks, or for digits and marks at its ends. Words inside it are nobody's business:
 * several of them make a good password (NIST SP 800-63B-4 §3.1.1.2). The work is linear in the password's length.
 */
export function weaknessOf(password: string, { common, own, shortBelow }: Expected): Weakness | null {
  const personal = personalForms(own)
  const canonical = canonicalForm(password)
  const words = wordsOf(canonical)
  // Where most of it are marks, the rest says little.
  const forms = lengthOf(words) * 2 < lengthOf(canonical) ? [canonical] : [canonical, words]
  for (const points of forms.map(form => [...form])) {
    const unit = unitOf(points)
    const core = coreOf(unit)
    for (const text of [unit, core, unitOf(core)].map(one => one.join(''))) {
      if (personal.has(text)) return 'own'
      if (common.has(text)) return 'common'
    }
    // As long as it is with its marks.
    const length = (unit.length / points.length) * lengthOf(canonical)
    if (unit.length < points.length && length < shortBelow) return 'repeated'
    if (new Set(unit).size < LEAST_DIFFERENT) return 'repeated'
    if (isRun(unit)) return 'run'
  }
  return null
}

/** What is repeated to make up the text, at least twice; the last time may be cut off. Else the text. */
function unitOf(points: readonly string[]): readonly string[] {
  // The length of the longest beginning that also ends the text up to each point (the prefix function of Knuth, Morris and Pratt).
  const borders: number[] = [0]
  for (let at = 1; at < points.length; at++) {
    let border = borders[at - 1]!
    while (border > 0 && points[at] !== points[border]) border = borders[border - 1]!
    borders.push(points[at] === points[border] ? border + 1 : 0)
  }
  const period = points.length - borders.at(-1)!
  return period * 2 <= points.length ? points.slice(0, period) : points
}

/** The text without the digits and marks before its first letter and after its last one. */
function coreOf(points: readonly string[]): readonly string[] {
  const isLetter = (point: string) => /[\p{L}\p{M}]/u.test(point)
  return points.slice(Math.max(points.findIndex(isLetter), 0), points.findLastIndex(isLetter) + 1)
}

function isRun(points: readonly string[]): boolean {
  let runs = 1
  for (let at = 1; at < points.length; at++) {
    if (!areNeighbours(points[at - 1]!, points[at]!)) runs++
  }
  return runs * RUN_LENGTH <= points.length
}

function areNeighbours(one: string, other: string): boolean {
  return Math.abs(one.codePointAt(0)! - other.codePointAt(0)!) <= 1 || NEIGHBOURS.has(one + other)
}

function neighbours(rows: string): Set<string> {
  const pairs = new Set<string>()
  for (const row of rows.split(' ')) {
    const keys = [...row]
    for (const [at, key] of keys.slice(1).entries()) pairs.add(keys[at]! + key).add(key + keys[at]!)
  }
  return pairs
}

/** The person's names and addresses, whole, in their parts, and without digits and marks around them. */
function personalForms(own: readonly string[]): Set<string> {
  const forms = new Set<string>()
  for (const text of own) {
    // What is longer is no name and no address, and is refused as such.
    if (text.length > 2 * LONGEST_EMAIL) continue
    const canonical = canonicalForm(text)
    for (const part of [canonical, ...SEPARATORS.flatMap(separator => canonical.split(separator))]) {
      for (const form of [part, wordsOf(part), coreOf([...part]).join('')]) {
        if (lengthOf(form) >= LEAST_OWN) forms.add(form)
      }
    }
  }
  return forms
}

/** The letters and digits of a text. */
function wordsOf(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N}]/gu, '')
}

function lengthOf(text: string): number {
  return [...text].length
}

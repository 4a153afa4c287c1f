import { type Finding, ok, problem, warning } from './finding.ts'

const LEAST_BYTES = 32
/** So few different bytes happen to 32 random hexadecimal digits less than once in a billion. */
const LEAST_DIFFERENT = 7
const NEW_KEY = `Make one: node -p "crypto.randomBytes(32).toString('base64')"`
const WORDS = /secret|password|change.?me|example|default|session|keyboard|replace.?me|development|production|qwerty/i

/** Looks at the keys that sign session cookies, none of which it repeats. @param source where they come from, for the messages */
export function checkKeys(source: string, keys: unknown): Finding[] {
  if (!Array.isArray(keys) || keys.length === 0) {
    return [problem('keys', `${source} holds no array of keys.`, `Without one no session can begin. ${NEW_KEY}`)]
  }
  const bytes = keys.map(signingBytes)
  const found = bytes.flatMap((key, index): Finding[] => {
    const name = `${source}[${index}]`
    if (key === null) return [problem('keys', `${name} is no text or bytes of at least ${LEAST_BYTES} bytes.`, NEW_KEY)]
    const first = bytes.findIndex(other => other?.equals(key))
    if (first < index)
      return [warning('keys', `${name} is ${source}[${first}] again.`, 'Leave it out: it adds nothing.')]
    const weakness = weaknessOf(key)
    return weakness ? [problem('keys', `${name} can be guessed: ${weakness}.`, NEW_KEY)] : []
  })
  if (found.length > 0) return found
  const count = keys.length === 1 ? 'one key' : `${keys.length} keys`
  return [ok('keys', `${source} holds ${count} of ${LEAST_BYTES} bytes or more; the first signs, all verify.`)]
}

/** The bytes of a key; null where it is none that can sign. */
export function signingBytes(key: unknown): Buffer | null {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key instanceof Uint8Array ? Buffer.from(key) : null
  return bytes && bytes.length >= LEAST_BYTES ? bytes : null
}

/** Why a key is no random one, as the rest of a sentence; null where it looks like one. */
function weaknessOf(key: Buffer): string | null {
  if (new Set(key).size < LEAST_DIFFERENT) return 'it is made of a few characters'
  if (isRepeated(key)) return 'it repeats itself'
  if (isRun(key)) return 'its characters follow one another'
  const text = key.toString('latin1')
  if (WORDS.test(text) || /[a-z]{3,} [a-z]{3,} [a-z]{3,}/i.test(text)) return 'it is made of words'
  return null
}

function isRepeated(key: Buffer): boolean {
  for (let period = 1; period <= key.length / 2; period++) {
    if (key.subarray(period).equals(key.subarray(0, -period))) return true
  }
  return false
}

/** Whether three characters of four are the one before, or the next one to it: of 32 random hexadecimal digits, half of them can be. */
function isRun(key: Buffer): boolean {
  const steps = key.subarray(1).filter((byte, index) => Math.abs(byte - key[index]!) <= 1)
  return steps.length > (key.length * 3) / 4
}

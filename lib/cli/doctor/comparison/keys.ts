import { counted } from '../../output.ts'
import { type Finding, ok, problem, skipped, warning } from '../finding.ts'

const CHECK = 'shared keys'
type Keys = readonly (string | null)[]

/** Compares keys by their fingerprints. @param there what to call the other application */
export function compareKeys(there: string, own: Keys, other: Keys): Finding[] {
  if (!own[0] || !other[0])
    return [
      skipped(CHECK, `${there}: there is no key that signs ${own[0] ? 'there' : 'here'}: there is nothing to compare.`),
    ]
  const unknown = [
    ...(other.includes(own[0]) ? [] : [unknownFirst(there, 'here', 'there')]),
    ...(own.includes(other[0]) ? [] : [unknownFirst(there, 'there', 'here')]),
  ]
  if (unknown.length > 0) return unknown
  const findings: Finding[] = []
  if (own[0] !== other[0]) {
    findings.push(
      warning(
        CHECK,
        `${there}: keys[0] here is keys[${other.indexOf(own[0])}] there, and keys[0] there is keys[${own.indexOf(other[0])}] here: both know both.`,
        'So it is in the midst of a rotation: go on until both have one order.',
      ),
    )
  }
  const [fewerThere, fewerHere] = [onlyIn(own, other), onlyIn(other, own)]
  if (fewerThere.length > 0) findings.push(unknownLater(there, fewerThere, 'here', 'there'))
  if (fewerHere.length > 0) findings.push(unknownLater(there, fewerHere, 'there', 'here'))
  if (findings.length > 0) return findings
  return [ok(CHECK, `${there}: ${own.length === 1 ? 'the same key' : `the same ${counted(own.length, 'key')}`}.`)]
}

/** Where in `keys` those are that `others` lacks. */
function onlyIn(keys: Keys, others: Keys): number[] {
  return keys.flatMap((key, index) => (key === null || others.includes(key) ? [] : index))
}

function unknownFirst(there: string, at: string, to: string): Finding {
  return problem(
    CHECK,
    `${there}: keys[0], which signs ${at}, is unknown ${to}: whoever logs in ${at} is anonymous ${to}.`,
    `Add it to the keys ${to}, at their end; it may be the first one when every process has it.`,
  )
}

function unknownLater(there: string, positions: readonly number[], at: string, to: string): Finding {
  const names = positions.map(index => `keys[${index}]`).join(', ')
  return warning(
    CHECK,
    `${there}: ${names} ${at} is unknown ${to}: whom it logged in is anonymous ${to}.`,
    `Add it ${to} behind the others, or drop it ${at} when the sessions that it signed have ended.`,
  )
}

import type { LoginFacts } from '../card/facts.ts'
import { type Finding, ok, warning } from '../finding.ts'

const CHECK = 'shared timeout'
const UNITS = [
  { unit: 'day', length: 86_400_000 },
  { unit: 'hour', length: 3_600_000 },
  { unit: 'minute', length: 60_000 },
  { unit: 'second', length: 1000 },
  { unit: 'millisecond', length: 1 },
] as const

/** Whether sessions last as long in both. @param there what to call the other application */
export function compareTimeouts(there: string, own: LoginFacts, other: LoginFacts): Finding[] {
  const differ = (['idleTimeout', 'absoluteTimeout'] as const).filter(name => own[name] !== other[name])
  if (differ.length === 0)
    return [
      ok(
        CHECK,
        `${there}: ${lasting(own.idleTimeout)} without a request, ${lasting(own.absoluteTimeout)} at most, in both.`,
      ),
    ]
  return differ.map(name =>
    warning(
      CHECK,
      `${there}: ${name} is ${lasting(own[name])} here and ${lasting(other[name])} there: how long a session lasts depends on where it was used last.`,
      `Give both the same ${name}.`,
    ),
  )
}

/** In the largest unit of which it is a whole number. */
function lasting(milliseconds: number): string {
  const { unit, length } = UNITS.find(one => milliseconds % one.length === 0) ?? UNITS.at(-1)!
  const count = milliseconds / length
  return `${count.toLocaleString('en')} ${count === 1 ? unit : `${unit}s`}`
}

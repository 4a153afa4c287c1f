import { OptionInvalid } from '../errors.ts'
import { checkOptionalFunction, knownOptions } from '../options.ts'
import { commonPasswords } from './passwords/common.ts'
import { type Weakness, weaknessOf } from './passwords/weakness.ts'
import { LONGEST_PASSWORD, passwordProblem } from './passwords.ts'

/** Options of what a new password must be. */
export interface PasswordPolicyOptions {
  /** How long a password must be, in Unicode code points of its NFC form: 8 to 1,024. 15 is for where it is the only factor. @default 15 */
  minimumLength?: number | undefined
  /**
   * Whether a password (in NFC) is to be refused, besides the common ones: one of your service's name, or one that a service knows from
   * breaches. Asked last. What it throws reaches who sets the password, and nothing is stored. @default none
   */
  blocked?: ((password: string) => boolean | Promise<boolean>) | undefined
}

/**
 * What new passwords must be, after NIST SP 800-63B-4 §3.1.1.2: long, and none that others try first. Any character counts, spaces too; there
 * are no rules of composition, and nothing is cut off.
 */
export interface PasswordPolicy {
  /**
   * What is wrong with a new password, in words for a form that do not repeat it, or null.
   * @param own what the person goes by: name, address
   */
  problem(password: unknown, own: readonly unknown[]): Promise<string | null>
}

const LEAST_MINIMUM = 8
/** As many code points as every password of so many bytes may have. */
const MOST_MINIMUM = LONGEST_PASSWORD / 4

const ADVICE = 'Several words that have nothing to do with one another make a good one.'
const PROBLEMS: Readonly<Record<Weakness | 'blocked', string>> = {
  common: `Many people have this password, so it is tried first. Please choose another one. ${ADVICE}`,
  own: `The password must not be the name or the e-mail address, nor made from them alone. ${ADVICE}`,
  repeated: `The password repeats a few characters. Please choose another one. ${ADVICE}`,
  run: `The password is made of characters that follow one another. Please choose another one. ${ADVICE}`,
  blocked: `This password must not be used here. Please choose another one. ${ADVICE}`,
}

/** @throws OptionInvalid in the name of `where` */
export function settlePasswordPolicy(where: string, options: PasswordPolicyOptions): PasswordPolicy {
  knownOptions(`${where} passwords`, options, ['minimumLength', 'blocked'])
  const { minimumLength = 15, blocked } = options
  if (!Number.isInteger(minimumLength) || minimumLength < LEAST_MINIMUM || minimumLength > MOST_MINIMUM) {
    const range = `${LEAST_MINIMUM} to ${MOST_MINIMUM.toLocaleString('en')}`
    throw new OptionInvalid(where, 'passwords.minimumLength', `must be a whole number of characters, ${range}.`)
  }
  checkOptionalFunction(where, 'passwords.blocked', blocked)

  return {
    async problem(password, own) {
      const malformed = passwordProblem(password)
      if (malformed) return malformed
      const composed = (password as string).normalize('NFC')
      if ([...composed].length < minimumLength)
        return `The password must have at least ${minimumLength} characters. ${ADVICE}`
      const common = await commonPasswords()
      const names = own.filter(name => typeof name === 'string')
      const weakness = weaknessOf(composed, { common, own: names, shortBelow: minimumLength })
      if (weakness) return PROBLEMS[weakness]
      return (await blocked?.(composed)) ? PROBLEMS.blocked : null
    },
  }
}

import { passwordProblem } from './passwords.ts'

/** Options of what a new password must be. */
export interface PasswordPolicyOptions {
  /** How long a password must be, in Unicode code points, at least 8. @default 15 */
  minimumLength?: number | undefined
}

/** What new passwords must be. */
export interface PasswordPolicy {
  /** What is wrong with a new password, in words for a form, or null. @param own what the person goes by: name, address */
  problem(password: unknown, own: readonly string[]): Promise<string | null>
}

/** @throws OptionInvalid in the name of `where` */
export function settlePasswordPolicy(_where: string, _options: PasswordPolicyOptions): PasswordPolicy {
  return { problem: async password => passwordProblem(password) }
}

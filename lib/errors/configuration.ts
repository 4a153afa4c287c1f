import { StrataError } from './strata-error.ts'

/** An option is missing, of the wrong type, contradictory or unknown. Thrown at construction, or at the first request for what comes from `app`. */
export class OptionInvalid extends StrataError {
  readonly code = 'OPTION_INVALID'
  readonly where: string
  readonly option: string
  /** @param where the function the option was handed to, as `sessions()` @param option its name @param problem what to do about it */
  constructor(where: string, option: string, problem: string) {
    super(`${where}: option '${option}' ${problem}`)
    this.where = where
    this.option = option
  }
}

/** A layer or guard ran without the layer it stands on. */
export class LayerMissing extends StrataError {
  readonly code = 'LAYER_MISSING'
  constructor(who: string, needs: string, add: string) {
    super(`${who} needs ${needs}. Add app.use(${add}) before it, or put ${add} before it in stack().`)
  }
}

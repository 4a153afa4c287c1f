import { StrataError } from './strata-error.ts'

/** The Django site keeps its sessions in a way that cannot be shared. Nothing was read from them, and nothing stored. */
export class DjangoSettingUnsupported extends StrataError {
  readonly code = 'DJANGO_SETTING_UNSUPPORTED'
  /** The setting to change on Django's side, as 'SESSION_SERIALIZER'. */
  readonly setting: string
  /** @param setting the setting of Django's to change @param what what was met, and what to set, as the rest of a sentence */
  constructor(setting: string, what: string) {
    super(`djangoSessions(): ${what}`)
    this.setting = setting
  }
}

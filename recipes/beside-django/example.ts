import { detachedUsers } from 'koa-strata'

/** A user of Django's, as its `create_user()` takes one, with permissions by their names. */
export interface Person {
  readonly username: string
  readonly password: string
  readonly email?: string
  readonly is_staff?: boolean
  readonly is_superuser?: boolean
  readonly permissions?: readonly string[]
}

/** Whom Django knows: somebody who may read drafts, and somebody who may use the admin. */
export const ADA = {
  username: 'ada',
  password: 'ada-demo-pässwörd☃',
  email: 'ada@people.example',
  permissions: ['view_draft'],
}
export const GRACE = { username: 'grace', password: 'grace-demo-password', is_staff: true, is_superuser: true }
/** Whom Django does not know: somebody of a partner, who may read drafts. */
export const MIRA = { username: 'mira', password: 'mira-demo-password' }

/** People of a partner: in place of this one list, a directory or a service is asked. */
export const partners = detachedUsers({
  name: 'partners',
  authenticate: async ({ username, password }) =>
    username === MIRA.username && password === MIRA.password
      ? { id: username, email: 'mira@partner.example', permissions: ['openings.view_draft'] }
      : null,
})

import { sessions } from 'koa-strata'

/** A cookie for all of a public suffix cannot be made. */
export const app = sessions({ cookie: { domain: 'co.uk' } })

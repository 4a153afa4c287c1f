import { publicUrl } from 'koa-strata/sharing'

/** The path below which Apache has the app. The app itself does not see it. */
export const PREFIX = '/webapps'

/**
 * What the world sees the site at: `url('/notices/1')` is a whole address, `url.path('/notices/1')` what goes into links and redirects. PUBLIC_ORIGIN
 * says the origin. It is asked for when the first whole address is made, so this module may be imported without it.
 */
export const url = publicUrl({
  prefix: PREFIX,
  origin() {
    const { PUBLIC_ORIGIN } = process.env
    if (!PUBLIC_ORIGIN)
      throw new Error('PUBLIC_ORIGIN is not set. It is what people see the site at, as https://www.example.')
    return PUBLIC_ORIGIN
  },
})

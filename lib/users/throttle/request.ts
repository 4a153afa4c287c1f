import type { ParameterizedContext } from 'koa'
import type { SessionAccess } from '../../sessions/layer.ts'
import { signerOfApp } from '../../sessions/signature.ts'
import type { Credentials } from '../backend.ts'
import type { AuthenticatedUser } from '../user.ts'
import { DeviceCookie } from './device-cookie.ts'
import { settleThrottle, type ThrottleOptions } from './options.ts'
import { Throttle } from './throttle.ts'

/** Limits the logins of one request. */
export interface RequestThrottle {
  /** Finds whose credentials they are, if that may be looked at. @throws TooManyAttempts */
  run(credentials: Credentials, find: () => Promise<AuthenticatedUser | null>): Promise<AuthenticatedUser | null>
  /** Has the account know the browser again, of a user who logs in with the credentials that this request has shown. */
  recognise(user: AuthenticatedUser): void
}

/**
 * What makes the throttle of each request.
 * @throws OptionInvalid in the name of `where`
 */
export function requestThrottle(
  where: string,
  options: ThrottleOptions,
): (ctx: ParameterizedContext, access: SessionAccess) => RequestThrottle {
  const setting = settleThrottle(where, options)
  const throttle = new Throttle(setting)
  const appSigner = signerOfApp()
  const deviceCookie = (ctx: ParameterizedContext, { setting: { cookie, signer } }: SessionAccess) =>
    new DeviceCookie(cookie, signer ?? appSigner(ctx.app.keys), setting.familiarFor, setting.now)

  return (ctx, access) => {
    let shown: { account: string; user: string } | null = null
    const deviceFor = (account: string) =>
      setting.deviceCookie ? deviceCookie(ctx, access).deviceFor(account, ctx.req) : null
    return {
      async run(credentials, find) {
        const attempt = await throttle.admit({ credentials, ip: ctx.ip, deviceFor })
        let user: AuthenticatedUser | null
        try {
          user = await find()
        } catch (error) {
          await attempt.settle('undecided')
          throw error
        }
        await attempt.settle(user ? 'succeeded' : 'failed')
        if (user && attempt.account !== null) shown = { account: attempt.account, user: user.key }
        return user
      },
      recognise(user) {
        if (!setting.deviceCookie || shown?.user !== user.key) return
        ctx.append('Set-Cookie', deviceCookie(ctx, access).line(shown.account, ctx.req))
      },
    }
  }
}

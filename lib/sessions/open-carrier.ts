import type { ParameterizedContext } from 'koa'
import type { SessionGone } from '../events.ts'
import type { SessionAnswer } from './answer.ts'
import type { Carrier } from './carrier.ts'
import { CookieSession } from './cookie-session.ts'
import { isSessionId } from './id.ts'
import type { SessionsSetting } from './options.ts'
import type { Signer } from './signature.ts'
import { StoredSession, type StoredSessionSetting } from './stored-session.ts'

/** What the carrier of one request is made with. */
export interface CarrierParts {
  setting: SessionsSetting
  /** What carrying by id takes; null where the cookie carries the data. */
  stored: StoredSessionSetting | null
  signer: Signer
  answer: SessionAnswer
  gone(reason: SessionGone): void
}

/**
 * The carrier for a request's cookie. A cookie that comes twice, has not the shape or not the signature is as good as none, and no store is
 * asked for it. Ids and data are signed for different purposes, so that neither passes for the other.
 */
export function openCarrier(ctx: ParameterizedContext, parts: CarrierParts): Carrier {
  const { setting, stored, signer, answer, gone } = parts
  const { cookie } = setting
  const purpose = stored ? 'id' : 'data'
  const signed = (value: string) => `koa-strata ${purpose} ${cookie.name}=${value}`
  const received = (): string | null => {
    const values = cookie.valuesIn(ctx.req)
    const [value, another] = values
    if (value === undefined) return null
    const dot = value.lastIndexOf('.')
    const payload = value.slice(0, dot)
    const fits = dot > 0 && (purpose === 'data' || isSessionId(payload))
    if (another === undefined && fits && signer.verify(signed(payload), value.slice(dot + 1))) return payload
    gone(another === undefined ? 'bad-cookie' : 'duplicate-cookie')
    return null
  }
  const send = (payload: string) =>
    answer.setCookie(cookie.set(`${payload}.${signer.sign(signed(payload))}`, setting.absoluteTimeout))
  const clear = () => answer.setCookie(cookie.clear())
  if (!stored) return new CookieSession(setting, { payload: received(), send, clear, gone })
  return new StoredSession(
    stored,
    // Once the head is sent the cookie stays, and leads nowhere: the session has ended in the store.
    { id: received(), assertOpen: () => answer.assertOpen(), send, clear: () => ctx.headerSent || clear(), gone },
  )
}

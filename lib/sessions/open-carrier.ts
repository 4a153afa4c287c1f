import type { ParameterizedContext } from 'koa'
import type { SessionGone } from '../events.ts'
import type { SessionAnswer } from './answer.ts'
import type { Carrier } from './carrier.ts'
import { CookieSession } from './cookie-session.ts'
import type { SessionsSetting } from './options.ts'
import type { Signer } from './signature.ts'
import type { SessionData } from './store.ts'
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
 * asked for it.
 */
export function openCarrier(
  ctx: ParameterizedContext,
  { setting, stored, signer, answer, gone }: CarrierParts,
): Carrier {
  const { cookie, ids, contents, cookieAge, now } = setting
  const received = <Read>(read: (value: string) => Read | null): Read | null => {
    const [value, another] = cookie.valuesIn(ctx.req)
    if (value === undefined) return null
    const found = another === undefined ? read(value) : null
    if (found === null) gone(another === undefined ? 'bad-cookie' : 'duplicate-cookie')
    return found
  }
  const send = (value: string, data: SessionData) => answer.setCookie(cookie.set(value, cookieAge(data)))
  const clear = () => answer.setCookie(cookie.clear())
  if (!stored) {
    return new CookieSession(setting, {
      content: received(value => contents.read(value, signer)),
      send: data => send(contents.write(data, now(), signer), data),
      clear,
      gone,
    })
  }
  return new StoredSession(stored, {
    id: received(value => ids.read(value, signer)),
    assertOpen: () => answer.assertOpen(),
    send: (id, data) => send(ids.write(id, signer), data),
    // Once the head is sent the cookie stays, and leads nowhere: the session has ended in the store.
    clear: () => ctx.headerSent || clear(),
    gone,
  })
}

import { isSessionId, newSessionId, storeId } from './id.ts'
import type { Signer } from './signature.ts'
import type { SessionData } from './store.ts'

/** How the cookie names a session that a store keeps, and how the store does. */
export interface IdForm {
  /** An id that nobody can guess. */
  newId(): string
  /** What the store calls the session of an id. */
  storeId(id: string): string
  /** The cookie's value for an id. */
  write(id: string, signer: Signer): string
  /** The id in a cookie's value; null where it has not the shape, or not the signature. */
  read(value: string, signer: Signer): string | null
}

/** How the cookie holds a session that no store keeps. */
export interface DataForm {
  /** The cookie's value for data that is stored now, in epoch milliseconds. */
  write(data: SessionData, now: number, signer: Signer): string
  /** What a cookie's value holds, and when it was written, in epoch milliseconds; null where it has not the signature. */
  read(value: string, signer: Signer): { data?: unknown; seen?: unknown } | null
}

/** An id and its signature, for the cookie of this name. A store knows ids by their hash alone. */
export function idForm(cookie: string): IdForm {
  const signed = signedFor('id', cookie)
  return {
    newId: newSessionId,
    storeId,
    write: signed.write,
    read: (value, signer) => signed.read(value, signer, isSessionId),
  }
}

/** Data, base64url of `{ data, seen }`, and its signature, for the cookie of this name. */
export function dataForm(cookie: string): DataForm {
  const signed = signedFor('data', cookie)
  return {
    write: (data, now, signer) =>
      signed.write(Buffer.from(JSON.stringify({ data, seen: now })).toString('base64url'), signer),
    read(value, signer) {
      const payload = signed.read(value, signer)
      return payload === null ? null : decode(payload)
    },
  }
}

/** What is signed for one purpose, in the cookie of one name, so that none passes for another. */
function signedFor(purpose: 'id' | 'data', cookie: string) {
  const signed = (payload: string) => `koa-strata ${purpose} ${cookie}=${payload}`
  return {
    write: (payload: string, signer: Signer) => `${payload}.${signer.sign(signed(payload))}`,
    read(value: string, signer: Signer, fits: (payload: string) => boolean = () => true): string | null {
      const dot = value.lastIndexOf('.')
      const payload = value.slice(0, dot)
      return dot > 0 && fits(payload) && signer.verify(signed(payload), value.slice(dot + 1)) ? payload : null
    },
  }
}

function decode(payload: string): { data?: unknown; seen?: unknown } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return parsed !== null && typeof parsed === 'object' ? parsed : {}
  } catch {
    return {}
  }
}

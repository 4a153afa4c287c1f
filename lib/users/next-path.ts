/** Any base will do: what matters is whether the address leaves it. */
const BASE = 'http://base.invalid'

/**
 * The path to go to after a login, from a `next` that came with the request: a path of this site, or `fallback`. Addresses of other sites, in
 * whatever disguise a browser would see through (`//host`, `/\host`, tabs), are not followed.
 */
export function nextPath(next: unknown, fallback = '/'): string {
  if (typeof next !== 'string' || !/^\/(?!\/)/.test(next) || /[\p{Cc}\\\s]/u.test(next)) return fallback
  if (!URL.canParse(next, BASE)) return fallback
  const { origin, pathname, search, hash } = new URL(next, BASE)
  return origin === BASE && !pathname.startsWith('//') ? pathname + search + hash : fallback
}

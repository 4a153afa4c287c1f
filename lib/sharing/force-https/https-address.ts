import { endOf } from './end-of.ts'

/** A change of a text: `text` in place of what stands from `start` to `end`. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

const BLANKS = '[\\t\\n\\r]*'
/** The URL standard drops C0 controls and spaces around an address, and tabs and newlines anywhere in it. */
const HTTP = new RegExp(`^[\\0-\\x20]*h${BLANKS}t${BLANKS}t${BLANKS}p(?=${BLANKS}:)`, 'i')
const COLON = new RegExp(`${BLANKS}:`, 'y')
const SLASHES = /[/\\\t\n\r]*/y
const AUTHORITY = /[^/\\?#]*/y

/**
 * What must change in an address so that it is asked for over https, as a browser reads it (URL Standard) in a page that came over https; nothing
 * where it does not say http, names no host, or names this machine, which browsers trust over http (Secure Contexts §3.1).
 *
 * Only port 80 is left out, as by `upgrade-insecure-requests`: another one is taken to speak https.
 */
export function httpsEdits(address: string): Edit[] {
  const [scheme] = HTTP.exec(address) ?? []
  if (scheme === undefined) return []
  const edits = [{ start: scheme.length, end: scheme.length, text: 's' }]

  const colon = endOf(COLON, address, scheme.length)
  const authority = endOf(SLASHES, address, colon)
  const slashes = address.slice(colon, authority).replace(/[\t\n\r]/g, '').length
  // In a page over https, 'https:x' is a path beside the page, where 'http:x' is a host.
  if (slashes < 2) edits.push({ start: colon, end: colon, text: '//'.slice(slashes) })

  let end = endOf(AUTHORITY, address, authority)
  if (end === address.length) while (end > authority && address[end - 1]! <= ' ') end--
  const host = authority + address.slice(authority, end).lastIndexOf('@') + 1
  const port = startOfPort(address, host, end)
  const name = address.slice(host, port)
  if (/^[\t\n\r]*$/.test(name) || isThisMachine(name)) return []
  if (/^:0*80$/.test(address.slice(port, end).replace(/[\t\n\r]/g, ''))) edits.push({ start: port, end, text: '' })
  return edits
}

/** The colon before the port, or the end: colons within brackets are an IPv6 address's. */
function startOfPort(address: string, from: number, end: number): number {
  let isWithin = false
  for (let at = from; at < end; at++) {
    const character = address[at]
    if (character === '[') isWithin = true
    else if (character === ']') isWithin = false
    else if (character === ':' && !isWithin) return at
  }
  return end
}

/** Names of other scripts are nobody's loopback: their bytes may be in any charset. */
function isThisMachine(host: string): boolean {
  if (!/^[\0-\x7f]*$/.test(host) || !URL.canParse(`http://${host}`)) return false
  return /^(?:(?:.*\.)?localhost\.?|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(`http://${host}`).hostname)
}

import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { RemoteUserInvalid } from '../errors.ts'
import { checkText } from '../options.ts'
import { idProblem } from '../users/backend.ts'

/** What Apache's `%{REMOTE_USER}e` is where nobody has logged in. */
const APACHE_NOBODY = '(null)'
const CONTROLS = /\p{Cc}/u

/**
 * The name in a header that a proxy sets, or null where there is none: the header is missing, empty or '(null)'. Its bytes are taken as UTF-8,
 * else as Latin-1.
 * @throws RemoteUserInvalid (400) where somebody else may have sent it: it came twice, or in another spelling that CGI (RFC 3875 §4.1.18) makes
 * the same, or it holds what is no name
 */
export function readUserHeader(request: IncomingMessage, header: string): string | null {
  const fields = fieldsOf(request, header)
  if (fields.some(({ name }) => name.toLowerCase() !== header.toLowerCase()))
    throw new RemoteUserInvalid(header, 'came in another spelling')
  if (fields.length > 1) throw new RemoteUserInvalid(header, 'came more than once')
  const value = decoded(fields[0]?.value ?? '')
  if (value === '' || value === APACHE_NOBODY) return null
  checkUserName(header, value)
  return value
}

/** Whether a request carries the header, in whatever spelling. */
export function hasUserHeader(request: IncomingMessage, header: string): boolean {
  return fieldsOf(request, header).length > 0
}

/** Takes the header out of what the application reads of a request, in whatever spelling. */
export function dropUserHeader(request: IncomingMessage, header: string): void {
  for (const { name } of fieldsOf(request, header)) delete request.headers[name.toLowerCase()]
}

/** @throws OptionInvalid, naming `where`, where the option `header` is no name of a header */
export function checkHeaderName(where: string, header: unknown): asserts header is string {
  const problem = "must be the name of a header: letters, digits and '-', as 'X-Remote-User'."
  checkText(where, 'header', header, /^[a-z](-?[a-z\d])*$/i, problem)
}

/**
 * What the header says for `readUserHeader()` to read this name, as bytes of UTF-8.
 * @throws RemoteUserInvalid (400) where that would be another name, or nobody's: parsers take spaces off the ends of a header
 */
export function userHeaderValue(header: string, name: string): string {
  checkUserName(header, name)
  if (name !== name.trim() || name === APACHE_NOBODY) throw new RemoteUserInvalid(header, 'cannot say this name')
  return Buffer.from(name).toString('latin1')
}

/** @throws RemoteUserInvalid where this is no name of a user */
export function checkUserName(header: string, name: string): void {
  const problem = CONTROLS.test(name) ? 'must hold no control characters' : idProblem(name)
  if (problem) throw new RemoteUserInvalid(header, problem)
}

/** Node joins fields of one name; only the raw list shows that there were several. */
function fieldsOf({ rawHeaders }: IncomingMessage, header: string): { name: string; value: string }[] {
  const fields = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (cgiName(name) === cgiName(header)) fields.push({ name, value: rawHeaders[index + 1]! })
  }
  return fields
}

function cgiName(name: string): string {
  return name.toLowerCase().replace(/[^a-z\d]/g, '_')
}

/** Node hands out each byte as a character. */
function decoded(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : value
}

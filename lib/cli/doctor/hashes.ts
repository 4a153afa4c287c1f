import type { Knex } from 'knex'
import { isVerifiable, needsRenewal } from '../../users/passwords.ts'
import { counted } from '../output.ts'
import { type Finding, ok, warning } from './finding.ts'

const CHECK = 'passwords'
const PAGE = 1_000

/** What hashes begin with, and are called. Of all others nothing is told: it may be a password in the clear. */
const FORMATS: Record<string, string> = {
  argon2: 'argon2 of Django',
  argon2d: 'argon2d',
  argon2i: 'argon2i',
  argon2id: 'argon2id',
  '2a': 'bcrypt',
  '2b': 'bcrypt',
  '2y': 'bcrypt',
  bcrypt: 'bcrypt of Django',
  bcrypt_sha256: 'bcrypt_sha256 of Django',
  pbkdf2: 'PBKDF2',
  'pbkdf2-sha1': 'PBKDF2',
  'pbkdf2-sha256': 'PBKDF2',
  'pbkdf2-sha512': 'PBKDF2',
  pbkdf2_sha1: 'PBKDF2 of Django',
  pbkdf2_sha256: 'PBKDF2 of Django',
  scrypt: 'scrypt',
  '1': 'md5-crypt',
  '5': 'sha256-crypt',
  '6': 'sha512-crypt',
  y: 'yescrypt',
  md5: 'MD5 of Django',
  sha1: 'SHA-1 of Django',
}

/** Which formats of password hashes the users table holds, and whether logins verify and renew them. */
export async function checkHashes(knex: Knex): Promise<Finding[]> {
  const formats = new Map<string, number>()
  let [weaker, useless] = [0, 0]
  for await (const hash of hashesOf(knex)) {
    const format = formatOf(hash)
    formats.set(format, (formats.get(format) ?? 0) + 1)
    if (format === UNUSABLE) continue
    if (!isVerifiable(hash)) useless++
    else if (needsRenewal(hash)) weaker++
  }
  if (formats.size === 0) return [ok(CHECK, 'Nobody has a password.')]
  const list = [...formats].map(([format, count]) => `${count.toLocaleString('en')} × ${format}`).join(', ')
  const found: Finding[] = []
  if (useless > 0) {
    found.push(
      warning(
        CHECK,
        `${counted(useless, 'hash', 'hashes')} can never verify: a format that is not known, or parameters beyond all measure. All: ${list}.`,
        'These people cannot log in: give them new passwords.',
      ),
    )
  }
  if (weaker > 0) {
    found.push(
      warning(
        CHECK,
        `${counted(weaker, 'hash', 'hashes')} ${weaker === 1 ? 'is' : 'are'} weaker than, or of another format than, new ones. All: ${list}.`,
        'Each is renewed when its user logs in. Deactivate who has not for long.',
      ),
    )
  }
  return found.length > 0 ? found : [ok(CHECK, `${list}; all as strong as new ones.`)]
}

const UNUSABLE = 'none, as Django writes it'

function formatOf(hash: string): string {
  if (hash.startsWith('!')) return UNUSABLE
  const [, name = ''] = /^\$?([a-z\d_-]{1,20})\$/.exec(hash) ?? []
  return (Object.hasOwn(FORMATS, name) && FORMATS[name]) || 'unknown format'
}

async function* hashesOf(knex: Knex): AsyncGenerator<string> {
  for (let last: unknown = 0; ; ) {
    const rows: { id: unknown; password: string }[] = await knex('users')
      .select('id', 'password')
      .whereNotNull('password')
      .where('id', '>', last as number)
      .orderBy('id')
      .limit(PAGE)
    for (const { password } of rows) yield password
    if (rows.length < PAGE) return
    last = rows.at(-1)!.id
  }
}

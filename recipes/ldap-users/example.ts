import { readFile } from 'node:fs/promises'
import type { Owner } from '../../test/servers/owner.ts'
import { type Slapd, type SlapdOptions, startSlapd } from '../../test/servers/slapd.ts'
import type { DirectoryOptions } from './directory.ts'

/** The people of directory.ldif, with their passwords. */
export const PEOPLE: Readonly<Record<string, string>> = {
  grace: 'keeper of keys 7',
  noor: 'مفتاح الباب ☕🔑',
  ines: 'coffee before nine',
  sam: 'salt and pepper 3',
}

/** Starts a slapd with the entries of directory.ldif. */
export async function startDirectory(owner: Owner, options: Partial<SlapdOptions> = {}): Promise<Slapd> {
  const [ldif, database] = await Promise.all(
    ['directory.ldif', 'database.conf'].map(name => readFile(new URL(name, import.meta.url), 'utf8')),
  )
  return startSlapd(owner, {
    suffix: 'dc=example,dc=org',
    ldif: ldif!,
    modules: ['ppolicy', 'refint'],
    ...options,
    database: `${database}${options.database ?? ''}`,
  })
}

/** What a `Directory` is made with for it. On this one machine nothing is encrypted. */
export function exampleDirectory(url: string): DirectoryOptions {
  return {
    url,
    startTls: false,
    account: { dn: 'cn=rota,ou=services,dc=example,dc=org', password: 'rota service demo' },
    people: 'ou=people,dc=example,dc=org',
    groups: 'ou=groups,dc=example,dc=org',
    // People whom an administrator has locked are gone; those whom the server keeps out for a while after wrong passwords are not.
    filter: '(&(objectClass=inetOrgPerson)(!(pwdAccountLockedTime=000001010000Z)))',
  }
}

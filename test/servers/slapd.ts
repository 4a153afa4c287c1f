import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { firstWords, freePort } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

/** What a slapd is started with beyond its port and folder. */
export interface SlapdOptions {
  /** The entry that all others are below, as `dc=example,dc=org`. */
  suffix: string
  /** The entries that it begins with, as LDIF. */
  ldif: string
  /** Modules to load, as `ppolicy`. */
  modules?: readonly string[] | undefined
  /** Lines of slapd.conf for all of the server, as `allow bind_anon_dn`. */
  global?: string | undefined
  /** Lines of slapd.conf for the database: who may do what, overlays. @default anybody may read */
  database?: string | undefined
  /** Whether it speaks TLS, by STARTTLS and by ldaps, with a certificate of its own for 127.0.0.1. @default false */
  tls?: boolean | undefined
}

/** A private slapd, and who may do everything in it. */
export interface Slapd {
  readonly server: Server
  readonly administrator: { dn: string; password: string }
  /** Where it speaks TLS: what signed its certificate, and where ldaps is. */
  readonly tls: { ca: string; url: string } | null
}

const run = promisify(execFile)
const SCHEMAS = ['core', 'cosine', 'inetorgperson']
/** LDAPMessage 1: a bind without a name, by a password that is empty (RFC 4511 §4.2). */
const ANONYMOUS_BIND = Uint8Array.of(0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0)
/** What begins its answer, whatever it is. */
const BIND_RESPONSE = '\x02\x01\x01\x61'

/** A private slapd, OpenLDAP's server, filled with entries. */
export async function startSlapd(owner: Owner, options: SlapdOptions): Promise<Slapd> {
  const { suffix, ldif, modules = [], global = '', database = '' } = options
  const folder = newFolder('slapd')
  const [configuration, data, entries] = [join(folder, 'slapd.conf'), join(folder, 'data'), join(folder, 'ldif')]
  const administrator = { dn: `cn=administrator,${suffix}`, password: 'administrator-demo' }
  const tls = options.tls ? await newCertificate(folder) : null
  const lines = [
    ...SCHEMAS.map(schema => `include /etc/ldap/schema/${schema}.schema`),
    'modulepath /usr/lib/ldap',
    ...['back_mdb', ...modules].map(name => `moduleload ${name}`),
    ...(tls ? [`TLSCertificateFile ${tls.certificate}`, `TLSCertificateKeyFile ${tls.key}`] : []),
    global,
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "${administrator.dn}"`,
    `rootpw ${administrator.password}`,
    `directory ${data}`,
    `maxsize ${64 * 2 ** 20}`,
    database,
  ]
  mkdirSync(data)
  writeFileSync(configuration, `${lines.join('\n')}\n`)
  writeFileSync(entries, ldif)
  await run(program('slapadd', 'slapd'), ['-q', '-f', configuration, '-l', entries])

  const path = program('slapd', 'slapd')
  const ldaps = tls && `ldaps://127.0.0.1:${await freePort()}`
  const server = await Server.start(owner, {
    name: 'slapd',
    folder,
    start: port => ({
      program: path,
      args: ['-d', '0', '-f', configuration, '-h', `ldap://127.0.0.1:${port} ${ldaps ?? ''}`],
    }),
    url: port => `ldap://127.0.0.1:${port}`,
    answers: async port => (await firstWords(port, ANONYMOUS_BIND)).includes(BIND_RESPONSE),
  })
  return { server, administrator, tls: tls && { ca: readFileSync(tls.certificate, 'utf8'), url: ldaps! } }
}

/** A certificate for 127.0.0.1 that signs itself, good for a day. */
async function newCertificate(folder: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  await run(program('openssl', 'openssl'), ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', certificate])
  return { certificate, key }
}

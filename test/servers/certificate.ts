import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newFolder } from './folder.ts'
import { program } from './program.ts'

const run = promisify(execFile)

/** A certificate for a server of this machine, in PEM (RFC 7468). It is its own authority, and good for a day. */
export interface Certificate {
  /** The path of the certificate, which is what clients must believe. */
  readonly certificate: string
  /** The path of its key. */
  readonly key: string
  /** The path of both in one file. */
  readonly both: string
}

/** Makes a certificate for 127.0.0.1, localhost and the given names, as `['*.example.test']`. */
export async function makeCertificate(names: readonly string[] = []): Promise<Certificate> {
  const folder = newFolder('certificate')
  const [certificate, key, both] = ['certificate.pem', 'key.pem', 'both.pem'].map(name => join(folder, name))
  const alternatives = ['IP:127.0.0.1', 'DNS:localhost', ...names.map(name => `DNS:${name}`)]
  await run(program('openssl', 'openssl'), [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
    ...['-subj', '/CN=localhost', '-addext', `subjectAltName=${alternatives.join(',')}`],
    ...['-keyout', key!, '-out', certificate!],
  ])
  writeFileSync(both!, readFileSync(certificate!, 'utf8') + readFileSync(key!, 'utf8'), { mode: 0o600 })
  return { certificate: certificate!, key: key!, both: both! }
}

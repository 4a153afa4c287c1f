/**
 * Prints the digest of a day as a message (RFC 5322) for one member, from the command line and without any request:
 * PUBLIC_ORIGIN=https://www.example node digest.ts ada@boats.example | sendmail -t
 */
import { randomUUID } from 'node:crypto'
import { url } from './address.ts'
import { NOTICES, publishedOf } from './notices.ts'

/** An address without what would begin another field, or another recipient. */
const ADDRESS = /^[\w.+-]+@[\w-]+(\.[\w-]+)*$/

function digest(to: string, date: Date): string {
  const host = new URL(url.origin).hostname
  const notices = publishedOf(NOTICES).map(({ id, title }) => `${title}\n${url(`/notices/${id}`)}\n`)
  return `From: Harbour office <notices@${host}>
To: ${to}
Date: ${date.toUTCString().replace('GMT', '+0000')}
Message-ID: <${randomUUID()}@${host}>
Subject: Harbour notices
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

${notices.join('\n')}
All of them: ${url('/')}
`
}

const [to = ''] = process.argv.slice(2)
try {
  if (!ADDRESS.test(to)) throw new Error('To whom? node digest.ts <address>')
  process.stdout.write(digest(to, new Date()))
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}

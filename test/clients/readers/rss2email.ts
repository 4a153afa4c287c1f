import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireProgram, runProgram } from '../programs.ts'
import { environmentOf, type FeedReader } from './reader.ts'

/** rss2email, which reads by Python's feedparser and sends each entry by mail: here into a folder. */
export const rss2email: FeedReader = {
  name: 'rss2email (feedparser)',
  secret: 'in the address, as it is: not percent-encoded',

  async subscribe({ address, username, password }, place) {
    const program = requireProgram('r2e', { debianPackage: 'rss2email' })
    const [config, data, mail] = ['config', 'data.json', 'mail'].map(name => join(place.home, name)) as [
      string,
      string,
      string,
    ]
    await mkdir(mail)
    const lines = [
      '[DEFAULT]',
      'from = reader@feeds.example',
      'to = ines@people.example',
      'email-protocol = maildir',
      `maildir-path = ${mail}`,
      'maildir-mailbox = openings',
      '[feed.openings]',
      // feedparser takes what stands before the @ as it is. A % would have to be doubled for the configuration.
      `url = ${address.replace('://', `://${username}:${password}@`)}`,
    ]
    await writeFile(config, lines.join('\n'))
    return {
      poll: () => runProgram(program, ['-c', config, '-d', data, 'run'], environmentOf(place)),
      async titles() {
        const folder = join(mail, 'openings', 'new')
        const names = await readdir(folder).catch(() => [])
        return Promise.all(names.map(async name => subjectOf(await readFile(join(folder, name), 'utf8'))))
      },
    }
  },
}

/** The subject of a mail, of encoded words (RFC 2047) or plain ones. */
function subjectOf(mail: string): string {
  const subject = /^Subject: (.*(?:\n[ \t].*)*)/m.exec(mail)?.[1] ?? ''
  return subject
    .replace(/\n[ \t]/g, ' ')
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?(.*?)\?=/gi, (_, encoding: string, text: string) => decode(encoding, text))
}

function decode(encoding: string, text: string): string {
  if (encoding.toLowerCase() === 'b') return Buffer.from(text, 'base64').toString()
  const bytes = text
    .replaceAll('_', ' ')
    .replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}

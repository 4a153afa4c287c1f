import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CommandFailed, refused, wrongUsage } from './failure.ts'

/** More than any password, in bytes: a line that is longer is none. */
const LONGEST_LINE = 65_536
const MOST_TRIES = 3

/**
 * A new password: typed twice where stdin is a terminal, without being shown, else the first line of stdin. It is never taken from arguments
 * or the environment, where other users of the machine see it.
 */
export function askNewPassword(): Promise<string> {
  return process.stdin.isTTY ? typedTwice() : firstLine()
}

async function typedTwice(): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  // It takes the terminal's own echo away, and what it would echo itself goes nowhere.
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 })
  const gone = new AbortController()
  reader.once('SIGINT', () => gone.abort())
  reader.once('close', () => gone.abort())
  const ask = async (question: string): Promise<string> => {
    process.stderr.write(question)
    const typed = await reader.question('', { signal: gone.signal }).catch(() => null)
    process.stderr.write('\n')
    if (typed === null) throw new CommandFailed(130, 'INTERRUPTED', 'Nothing was changed.')
    return typed
  }
  try {
    for (let tries = 1; ; tries++) {
      const password = await ask('Password: ')
      if (password === '') throw refused('No password was typed. Nothing was changed.')
      if ((await ask('Password again: ')) === password) return password
      if (tries === MOST_TRIES) throw refused('The two were not the same. Nothing was changed.')
      process.stderr.write('The two are not the same. Please try again.\n')
    }
  } finally {
    reader.close()
  }
}

async function firstLine(): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > LONGEST_LINE || (chunk as Buffer).includes(10)) break
  }
  const [line = ''] = Buffer.concat(chunks).toString('latin1').split('\n', 1)
  const password = decoded(Buffer.from(line.replace(/\r$/, ''), 'latin1'))
  if (password === '') throw wrongUsage('stdin is no terminal, and no password came on it: it is read as one line.')
  return password
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw wrongUsage('The password on stdin is no UTF-8.')
  }
}

import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, rename, rm, writeFile } from 'node:fs/promises'
import { type Card, cardText } from './card.ts'
import { parseCard } from './parse.ts'

/** More than any card, in bytes. */
const LARGEST = 262_144

/** Writes a card to a file of this user alone, whole or not at all. An older one gives way. @throws Error where that cannot be */
export async function writeCard(path: string, card: Card): Promise<void> {
  const before = await lstat(path).catch(() => null)
  if (before && !before.isFile()) throw new Error('what is there is no file.')
  const fresh = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await writeFile(fresh, cardText(card), { flag: 'wx', mode: 0o600 })
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}

/** Reads a card from a file, or from stdin where that is '-'. @throws Error saying why there is none */
export async function readCard(path: string): Promise<Card> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of path === '-' ? process.stdin : createReadStream(path)) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > LARGEST) throw new Error('it is too large for a card.')
  }
  return parseCard(Buffer.concat(chunks).toString())
}

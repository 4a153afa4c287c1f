import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place, PrivateFeed } from './reader.ts'

/** Writes the name and the password for a feed's host where several programs look for them. */
export async function writeNetrc({ address, username, password }: PrivateFeed, { home }: Place): Promise<void> {
  const line = `machine ${new URL(address).hostname} login ${username} password ${password}\n`
  await writeFile(join(home, '.netrc'), line, { mode: 0o600 })
}

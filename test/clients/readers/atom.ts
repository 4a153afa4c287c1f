import { readFile } from 'node:fs/promises'

/** The titles of the entries of an Atom feed, as a reader that shows the source would show them. */
export function titlesIn(atom: string): string[] {
  const titles = atom.matchAll(/<entry>\s*<title[^>]*>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?<\/title>/gs)
  return [...titles].map(([, title]) => title!)
}

/** Likewise of a file that holds one; none where there is no file. */
export async function titlesInFile(file: string): Promise<string[]> {
  return titlesIn(await readFile(file, 'utf8').catch(() => ''))
}

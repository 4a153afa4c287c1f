import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireProgram, runProgram } from '../programs.ts'
import { environmentOf, type FeedReader } from './reader.ts'

export const sfeed: FeedReader = reader('`curl -u`', '')

/** As its README has it, but without `-z`, the short name of `--time-cond`: see `curlForChanges`. */
export const sfeedForChanges: FeedReader = reader(
  '`curl -u --etag-save --etag-compare`',
  '--etag-save "$3.etag" --etag-compare "$3.etag"',
)

/** @param options what curl, by which sfeed fetches, is given beside the name and the password */
function reader(secret: string, options: string): FeedReader {
  return {
    name: 'sfeed',
    secret: `\`fetch()\` in \`sfeedrc\`: ${secret}`,

    async subscribe({ address, username, password }, place) {
      const program = requireProgram('sfeed_update', { debianPackage: 'sfeed' })
      requireProgram('curl')
      const folder = join(place.home, '.sfeed')
      await mkdir(folder)
      const lines = [
        `fetch() { curl -f -s -m 15 -u ${quote(`${username}:${password}`)} ${options} "$2"; }`,
        `feeds() { feed openings ${quote(address)}; }`,
      ]
      await writeFile(join(folder, 'sfeedrc'), lines.join('\n'), { mode: 0o600 })
      return {
        poll: () => runProgram(program, [], environmentOf(place)),
        async titles() {
          const lines = await readFile(join(folder, 'feeds', 'openings'), 'utf8')
          return lines.split('\n').flatMap(line => line.split('\t')[1] ?? [])
        },
      }
    },
  }
}

/** As one word of a shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

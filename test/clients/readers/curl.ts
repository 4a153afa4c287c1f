import { join } from 'node:path'
import { requireProgram, runProgram } from '../programs.ts'
import { titlesInFile } from './atom.ts'
import { writeNetrc } from './netrc.ts'
import { environmentOf, type FeedReader } from './reader.ts'

export const curl: FeedReader = reader('curl', () => [])

/**
 * Without `--time-cond`, which makes curl itself throw an answer away whose Last-Modified is not after the time of its file, while it keeps the
 * ETag of that answer: what changed in the second of the poll before is never read.
 */
export const curlForChanges: FeedReader = reader('curl `--etag-save --etag-compare`', file => [
  ...['--etag-save', `${file}.etag`],
  ...['--etag-compare', `${file}.etag`],
])

function reader(name: string, optionsFor: (file: string) => string[]): FeedReader {
  return {
    name,
    secret: '`~/.netrc`, `--netrc`',

    async subscribe(feed, place) {
      const program = requireProgram('curl')
      const file = join(place.home, 'openings.atom')
      await writeNetrc(feed, place)
      const options = ['--silent', '--fail', '--netrc', ...optionsFor(file), '--output', file, feed.address]
      return {
        poll: () => runProgram(program, options, environmentOf(place)),
        titles: () => titlesInFile(file),
      }
    },
  }
}

import { join } from 'node:path'
import { requireProgram, runProgram } from '../programs.ts'
import { titlesInFile } from './atom.ts'
import { writeNetrc } from './netrc.ts'
import { environmentOf, type FeedReader } from './reader.ts'

export const wget: FeedReader = reader('wget', file => ['--output-document', file])

export const wgetForChanges: FeedReader = reader('wget `--timestamping`', (_, home) => [
  '--timestamping',
  '--directory-prefix',
  home,
])

function reader(name: string, optionsFor: (file: string, home: string) => string[]): FeedReader {
  return {
    name,
    secret: '`~/.netrc`',

    async subscribe(feed, place) {
      const program = requireProgram('wget')
      const file = join(place.home, 'openings.atom')
      await writeNetrc(feed, place)
      const options = ['--quiet', ...optionsFor(file, place.home), feed.address]
      return {
        poll: () => runProgram(program, options, environmentOf(place)),
        titles: () => titlesInFile(file),
      }
    },
  }
}

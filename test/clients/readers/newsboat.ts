import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireProgram, runProgram } from '../programs.ts'
import { addressWithSecret, environmentOf, type FeedReader } from './reader.ts'
import { titlesInSqlite } from './sqlite.ts'

export const newsboat: FeedReader = {
  name: 'newsboat',
  secret: 'in the address',

  async subscribe(feed, place) {
    const program = requireProgram('newsboat')
    const [urls, cache, config] = ['urls', 'cache.db', 'config'].map(name => join(place.home, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(urls, addressWithSecret(feed))
    await writeFile(config, '')
    const options = ['-u', urls, '-c', cache, '-C', config, '-x', 'reload']
    return {
      poll: () => runProgram(program, options, environmentOf(place)),
      titles: () => titlesInSqlite(cache, 'rss_item'),
    }
  },
}

import { requireProgram, runProgram } from '../programs.ts'
import { titlesIn } from './atom.ts'
import { environmentOf, type FeedReader } from './reader.ts'

export const lynx: FeedReader = {
  name: 'lynx',
  secret: '`-auth`',

  async subscribe({ address, username, password }, place) {
    const program = requireProgram('lynx')
    const options = [`-auth=${username}:${password}`, '-source', address]
    let source = ''
    return {
      async poll() {
        source = (await runProgram(program, options, environmentOf(place))).stdout
      },
      titles: async () => titlesIn(source),
    }
  },
}

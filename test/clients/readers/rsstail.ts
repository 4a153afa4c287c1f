import { requireProgram } from '../programs.ts'
import { Background } from './background.ts'
import { addressWithSecret, environmentOf, type FeedReader, type PrivateFeed } from './reader.ts'

export const rsstail: FeedReader = reader('in the address', feed => ['-u', addressWithSecret(feed)])

export const rsstailWithOption: FeedReader = reader('`-A`', ({ address, username, password }) => [
  ...['-A', `${username}:${password}`],
  ...['-u', address],
])

/** rsstail, which runs on and polls by itself, each time by HEAD first: that waits until a poll is asked for. */
function reader(secret: string, optionsFor: (feed: PrivateFeed) => string[]): FeedReader {
  return {
    name: 'rsstail',
    secret,

    async subscribe(feed, place) {
      const options = ['-v', '-v', '-v', '-N', '-n', '50', '-i', '1', ...optionsFor(feed)]
      const letPoll = place.witness.holdBack('HEAD')
      const running = await Background.start(place, requireProgram('rsstail'), options, environmentOf(place))
      return {
        async poll() {
          letPoll()
          // It writes this and the titles in one piece.
          await running.says(/^(Feed .*change|Error).*\n/m)
        },
        titles: async () => [...running.said.matchAll(/^ (.+)$/gm)].map(([, title]) => title!),
      }
    },
  }
}

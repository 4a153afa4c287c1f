import { createServer, type Server } from 'node:http'

/** A program beside the app that knows no users: nginx lets nobody in who is not logged in, and tells it who it is. */
export function createArchive(): Server {
  return createServer(({ headers }, response) => {
    // The bytes are UTF-8, and Node hands out each of them as a character.
    const name = Buffer.from(String(headers['x-remote-user'] ?? ''), 'latin1').toString()
    response.setHeader('Content-Type', 'text/plain; charset=utf-8')
    response.end(`${name} is in the archive. Their cookie: ${headers.cookie ?? 'not told'}.\n`)
  })
}

import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'

/** Answers a request of a pretended service. @param users the keys that it asks for */
export type Reply = (response: ServerResponse, users: string[], request: IncomingMessage) => unknown

/** A service that answers whatever a test wants it to. */
export interface TestService {
  readonly url: string
  readonly token: string
  /** A test changes it. */
  reply: Reply
  /** What it was asked, as the method and the users. */
  readonly asked: { method: string; users: string[] }[]
  /** How many connections it has had. */
  readonly connections: number
  /** How many it has now. */
  open(): Promise<number>
}

/** What whoever asks it shows, which it does not look at. */
export const TOKEN = 'a-token.of~these/tests+0='

/** Starts it on a free port of the loopback, until the test is over. */
export async function startTestService(t: ExecutionContext, reply: Reply): Promise<TestService> {
  let connections = 0
  const server = http.createServer(async (request, response) => {
    try {
      const body = Buffer.concat(await request.toArray()).toString()
      const user = new URL(request.url!, service.url).searchParams.get('user')
      const users: string[] = user === null ? JSON.parse(body).users : [user]
      service.asked.push({ method: request.method!, users })
      await service.reply(response, users, request)
    } catch (error) {
      // Whoever asks has gone.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
    }
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const service: TestService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    token: TOKEN,
    reply,
    asked: [],
    get connections() {
      return connections
    },
    open: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
  }
  return service
}

/** An answer with a body: JSON unless it is text. */
export function answer(body: unknown, status = 200): Reply {
  return response => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body))
  }
}

/** What a service says of these entries: one by itself where one is asked for by GET, else all. */
export function entries(entry: (user: string) => unknown): Reply {
  return (response, users, request) => {
    const all = users.map(entry)
    return answer(request.method === 'GET' ? all[0] : { profiles: all })(response, users, request)
  }
}

import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const HOST = '127.0.0.1'

/** Has what a recipe starts be ended with it, the last first. */
export interface Demonstration {
  teardown(end: () => unknown): void
}

/** Starts a recipe, prints what it answers, and ends all that it has started at Ctrl-C, or where it cannot be started as a whole. */
export async function demonstrate(start: (owner: Demonstration) => Promise<string>): Promise<void> {
  const ends: (() => unknown)[] = []
  const end = async () => {
    for (const one of ends.splice(0)) await one()
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  try {
    console.log(await start({ teardown: one => ends.unshift(one) }))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    console.error(code === 'EADDRINUSE' ? 'Something else listens there. Choose another port: PORT=3100' : message)
    process.exitCode = 1
    await end()
  }
}

/** A server of a recipe at the port that PORT names, 3000 where it names none, and its origin. */
export async function listen(
  owner: Demonstration,
  listener?: RequestListener,
): Promise<{ server: Server; origin: string }> {
  const server = createServer(listener).listen(Number(process.env.PORT ?? 3000), HOST)
  await once(server, 'listening')
  owner.teardown(async () => {
    server.close()
    server.closeIdleConnections()
    await once(server, 'close')
  })
  return { server, origin: `http://${HOST}:${(server.address() as AddressInfo).port}` }
}

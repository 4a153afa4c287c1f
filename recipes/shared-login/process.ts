/** One application in a process of its own, started by processes.ts, at the PORT it is told. It ends with whoever started it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// Ctrl-C reaches every process of a terminal; this one ends when it is told to.
process.on('SIGINT', () => {})

function tell(message: object): void {
  // Nobody is there to be told any more where the other process could not start.
  process.send?.(message, () => {})
}

try {
  const { app, close } = await import('./deployed.ts')
  const server = createServer(app.callback())
  const end = () => {
    server.close(close)
    server.closeIdleConnections()
  }
  process.once('disconnect', end)
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1')
  await once(server, 'listening').catch(async error => {
    await close()
    throw error
  })
  tell({ port: (server.address() as AddressInfo).port })
  if (!process.connected) end()
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  tell({ code, message })
  process.disconnect?.()
}

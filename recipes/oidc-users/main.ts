/** Starts the reading room with an identity provider for its people: `npm run recipe -- oidc-users`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryStore } from 'koa-strata'
import { ACCOUNTS } from './accounts.ts'
import { createReadingRoom } from './app.ts'
import { IdentityProvider } from './identity-provider.ts'
import { LoginFailure } from './login-failure.ts'
import { startProvider } from './provider/provider.ts'

const HOST = '127.0.0.1'
const ends: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => ends.unshift(end) }

async function start(): Promise<string> {
  const server = createServer().listen(Number(process.env.PORT ?? 3000), HOST)
  await once(server, 'listening')
  owner.teardown(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  const origin = `http://${HOST}:${(server.address() as AddressInfo).port}`
  const client = { id: 'reading-room', secret: randomBytes(32).toString('base64url') }
  const { issuer } = await startProvider(owner, { accounts: ACCOUNTS, client: { ...client, origin } })

  const provider = new IdentityProvider({ issuer, clientId: client.id, clientSecret: client.secret, origin })
  const app = createReadingRoom({ provider, store: memoryStore(), keys: [randomBytes(32)] })
  app.on('error', (error: Error) => console.error(error instanceof LoginFailure ? error.detail : error.message))
  server.on('request', app.callback())
  return `The reading room is at ${origin}/
Its people have their accounts at Example ID, ${issuer}/

Who has one, and the password:
${ACCOUNTS.map(({ username, password }) => `  ${username.padEnd(3)}  ${password}`).join('\n')}

Log in by a browser. Then log out at Example ID, and look at the reading room again: you are logged out there too.
  ${issuer}/session/end

Ctrl-C ends both.`
}

async function end(): Promise<void> {
  for (const one of ends.splice(0)) await one()
}

process.once('SIGINT', end)
process.once('SIGTERM', end)
try {
  console.log(await start())
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  console.error(code === 'EADDRINUSE' ? 'Something else listens there. Choose another port: PORT=3001' : message)
  process.exitCode = 1
  await end()
}

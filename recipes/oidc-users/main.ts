/** Starts the reading room with an identity provider for its people: `npm run recipe -- oidc-users`. PORT can be set. */
import { randomBytes } from 'node:crypto'
import { memoryStore } from 'koa-strata'
import { type Demonstration, demonstrate, listen } from '../demonstration.ts'
import { ACCOUNTS } from './accounts.ts'
import { createReadingRoom } from './app.ts'
import { IdentityProvider } from './identity-provider.ts'
import { LoginFailure } from './login-failure.ts'
import { startProvider } from './provider/provider.ts'

async function start(owner: Demonstration): Promise<string> {
  const { server, origin } = await listen(owner)
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

await demonstrate(start)

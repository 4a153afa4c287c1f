import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { CLIENT } from './test-room.ts'

/** What a provider answers at one of its addresses; null: nothing, for ever. */
export type Reply = { status?: number; body: unknown } | null

/** A provider that says whatever a test wants it to. */
export interface TestProvider {
  readonly issuer: string
  /** The answers, by path. A test changes them. */
  readonly replies: Map<string, Reply>
  /** Who logs in, by the claims of the ID token. They are what they should be, but for these. */
  claims: JWTPayload
  /** Signs what it is given, which is good for a minute unless it says otherwise. */
  sign(claims: JWTPayload, options?: { key?: CryptoKey | Uint8Array; header?: object }): Promise<string>
  readonly server: http.Server
}

const keys = await generateKeyPair('RS256')
/** A key that no provider has. */
export const { privateKey: STRANGERS_KEY } = await generateKeyPair('RS256')

export async function startTestProvider(t: ExecutionContext): Promise<TestProvider> {
  let nonce = ''
  const server = http.createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, provider.issuer)
    request.resume()
    if (pathname === '/auth') {
      // Nobody has to sign in.
      nonce = searchParams.get('nonce')!
      const back = new URL(searchParams.get('redirect_uri')!)
      for (const [name, value] of Object.entries({ code: 'a code', state: searchParams.get('state')! }))
        back.searchParams.set(name, value)
      response.writeHead(303, { location: back.href }).end()
      return
    }
    const reply = provider.replies.get(pathname)
    if (reply === undefined) response.writeHead(404).end()
    if (!reply) return
    const { body, status = 200 } = reply
    const answer = typeof body === 'function' ? await body() : body
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const jwk = { ...(await exportJWK(keys.publicKey)), use: 'sig', alg: 'RS256' }
  const provider: TestProvider = {
    issuer,
    server,
    claims: {},
    replies: new Map<string, Reply>([
      [
        '/.well-known/openid-configuration',
        {
          body: {
            issuer,
            authorization_endpoint: `${issuer}/auth`,
            token_endpoint: `${issuer}/token`,
            userinfo_endpoint: `${issuer}/me`,
            jwks_uri: `${issuer}/keys`,
            response_types_supported: ['code'],
            subject_types_supported: ['public'],
            id_token_signing_alg_values_supported: ['RS256'],
          },
        },
      ],
      ['/keys', { body: { keys: [jwk] } }],
      [
        '/token',
        {
          body: async () => ({
            access_token: 'an access token',
            token_type: 'Bearer',
            id_token: await provider.sign({ nonce, sub: 'ada', ...provider.claims }),
          }),
        },
      ],
      ['/me', { body: () => ({ sub: provider.claims.sub ?? 'ada', name: 'Ada' }) }],
    ]),
    sign(claims, { key = keys.privateKey, header = {} } = {}) {
      const now = Math.floor(Date.now() / 1000)
      // What is undefined is left out.
      const all = JSON.parse(JSON.stringify({ iss: issuer, aud: CLIENT.id, iat: now, exp: now + 60, ...claims }))
      return new SignJWT(all).setProtectedHeader({ alg: 'RS256', ...header }).sign(key)
    },
  }
  return provider
}

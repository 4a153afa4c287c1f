import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose'
import { DetachedUser } from 'koa-strata'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client'
import { LoginFailure, loginFailure } from './login-failure.ts'
import { LogoutTokens } from './logout-tokens.ts'
import type { PendingLogin } from './pending-logins.ts'

/** What an application and its identity provider know of each other. */
export interface IdentityProviderOptions {
  /** As the provider names itself, `https://id.example.org`. Plain http is for the loopback alone. */
  issuer: string
  clientId: string
  clientSecret: string
  /** What the addresses of this application begin with, as they are registered there: `https://reading.example.org`. */
  origin: string
  /** How long one answer of the provider may take, in milliseconds. @default 5000 */
  deadline?: number | undefined
}

/** The name of the backend whose users come by the provider. */
export const BACKEND = 'oidc'
/** What ID tokens and logout tokens are signed with. */
const ALGORITHM = 'RS256'

/** The provider that people of the application have their accounts at: OpenID Connect's code flow, and its logouts. */
export class IdentityProvider {
  readonly #options: IdentityProviderOptions & { deadline: number }
  #discovered: Promise<{ configuration: Configuration; logoutTokens: LogoutTokens }> | null = null

  constructor(options: IdentityProviderOptions) {
    this.#options = { ...options, deadline: options.deadline ?? 5000 }
  }

  /** Where to send somebody who wants to log in, and what to remember of it under its state. @throws LoginFailure */
  async beginLogin(): Promise<{ url: string; state: string; nonce: string; verifier: string }> {
    const { configuration } = await this.#discover()
    const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()]
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: this.#callback(),
      scope: 'openid profile email',
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    return { url: url.href, state, nonce, verifier }
  }

  /** Who has come back. @param query of the address they came back to @throws LoginFailure */
  async finishLogin(
    query: string,
    state: string,
    { nonce, verifier }: PendingLogin,
  ): Promise<{ user: DetachedUser; idToken: string }> {
    const { configuration } = await this.#discover()
    try {
      const tokens = await authorizationCodeGrant(configuration, new URL(query, this.#callback()), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
      })
      const { iss, sub } = tokens.claims()!
      const known = await fetchUserInfo(configuration, tokens.access_token, sub)
      const user = new DetachedUser({
        backend: BACKEND,
        id: this.#idOf(iss, sub),
        username: known.preferred_username ?? known.name ?? sub,
        // Anybody may claim an address; one that is shown has been seen to be theirs.
        email: known.email_verified === true ? known.email : null,
        attributes: known.name === undefined ? {} : { name: known.name },
      })
      return { user, idToken: tokens.id_token! }
    } catch (error) {
      throw loginFailure(error)
    }
  }

  /** Where to send somebody who has logged out here, to log out there; null where nobody can say. @param idToken of their login */
  async logoutUrl(idToken: string): Promise<string | null> {
    try {
      const { configuration } = await this.#discover()
      const back = { id_token_hint: idToken, post_logout_redirect_uri: `${this.#options.origin}/` }
      return configuration.serverMetadata().end_session_endpoint ? buildEndSessionUrl(configuration, back).href : null
    } catch {
      return null
    }
  }

  /** The id of the user whom the provider tells to have logged out. @throws LogoutTokenInvalid, LoginFailure */
  async loggedOut(logoutToken: unknown): Promise<{ id: string; done(): void }> {
    const { logoutTokens } = await this.#discover()
    const { iss, sub, done } = await logoutTokens.read(logoutToken)
    return { id: this.#idOf(iss, sub), done }
  }

  /** A subject is somebody at one issuer only. An issuer has no fragment, so that the first # ends it. */
  #idOf(issuer: string, subject: string): string {
    return `${issuer}#${subject}`
  }

  #callback(): string {
    return `${this.#options.origin}/callback`
  }

  /** What the provider says of itself, asked for when it is first needed: the application starts without it. */
  #discover() {
    this.#discovered ??= this.#ask().catch(error => {
      this.#discovered = null
      throw loginFailure(error)
    })
    return this.#discovered
  }

  async #ask() {
    const { issuer, clientId, clientSecret, deadline } = this.#options
    const url = new URL(issuer)
    const isLoopback = url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
    const configuration = await discovery(
      url,
      clientId,
      { client_secret: clientSecret, id_token_signed_response_alg: ALGORITHM },
      undefined,
      {
        timeout: deadline / 1000,
        // With it the signature of ID tokens is checked too, not only the connection that they came over.
        execute: [enableNonRepudiationChecks, ...(isLoopback ? [allowInsecureRequests] : [])],
      },
    )
    const { issuer: name, jwks_uri: keys } = configuration.serverMetadata()
    if (!keys) throw new LoginFailure('unavailable', 'The provider does not say where its keys are.')
    const keySet: JWTVerifyGetKey = createRemoteJWKSet(new URL(keys), { timeoutDuration: deadline })
    const logoutTokens = new LogoutTokens({ issuer: name, audience: clientId, keys: keySet, algorithm: ALGORITHM })
    return { configuration, logoutTokens }
  }
}

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Provider, { type Configuration, type JWK } from 'oidc-provider'
import { escaped } from '../page.ts'
import { providerPage, signInForm, signOutForm } from './pages.ts'
import { memory } from './storage.ts'

/** Somebody with an account at the provider. */
export interface Account {
  /** What the provider knows them by for good. */
  readonly subject: string
  readonly username: string
  readonly password: string
  readonly name: string
  readonly email: string
  readonly emailVerified: boolean
}

/** What a provider is made of. */
export interface ProviderOptions {
  accounts: readonly Account[]
  /** The application that it logs people in to. */
  client: { id: string; secret: string; origin: string }
  /** @default a free one */
  port?: number | undefined
}

/** A provider that runs. */
export interface RunningProvider {
  readonly issuer: string
  readonly provider: Provider
  /** Where it listens: closing it makes the provider one that is down. */
  readonly server: Server
}

/** Whoever a provider belongs to, and ends with. */
interface Owner {
  teardown(end: () => unknown): void
}

const HOST = '127.0.0.1'

/**
 * Starts an identity provider on the loopback, for tests and for trying things out: the accounts stand in its code, everything else in memory.
 * What it does on the wire is what providers do.
 */
export async function startProvider(
  owner: Owner,
  { accounts, client, port = 0 }: ProviderOptions,
): Promise<RunningProvider> {
  const server = createServer().listen(port, HOST)
  await once(server, 'listening')
  owner.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const issuer = `http://${HOST}:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, configurationFor(accounts, client))
  provider.use(interactions(provider, accounts).routes())
  server.on('request', provider.callback())
  return { issuer, provider, server }
}

function configurationFor(
  accounts: readonly Account[],
  { id, secret, origin }: ProviderOptions['client'],
): Configuration {
  return {
    adapter: memory(),
    clients: [
      {
        client_id: id,
        client_secret: secret,
        redirect_uris: [`${origin}/callback`],
        post_logout_redirect_uris: [`${origin}/`],
        backchannel_logout_uri: `${origin}/backchannel-logout`,
      },
    ],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    jwks: { keys: [signingKey()] },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource(ctx, form) {
          ctx.body = providerPage('Sign out?', signOutForm(form))
        },
        postLogoutSuccessSource(ctx) {
          ctx.body = providerPage('You are signed out', '')
        },
      },
    },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 86_400, IdToken: 600, Interaction: 3600, Session: 86_400 },
    // It refuses to call the loopback of itself, where all of this recipe is.
    fetch: (url, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown } = {}) => fetch(url, init),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount(_, subject) {
      const account = accounts.find(one => one.subject === subject)
      if (!account) return undefined
      const { username, name, email, emailVerified } = account
      return {
        accountId: subject,
        claims: () => ({ sub: subject, preferred_username: username, name, email, email_verified: emailVerified }),
      }
    },
    // It is the owner's own application: people are not asked whether it may know their names.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client!.clientId, accountId: oidc.session!.accountId! })
      grant.addOIDCScope('openid profile email')
      await grant.save()
      return grant
    },
    renderError(ctx, { error, error_description: description }) {
      ctx.type = 'html'
      ctx.body = providerPage('That did not work', `<p>${escaped(description ?? error)}</p>`)
    },
  }
}

let made: JWK | undefined

/** What tokens are signed with: one key for all providers of this process, since it takes its time. */
function signingKey(): JWK {
  const fresh = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as JWK
  made ??= { ...fresh(), use: 'sig', alg: 'RS256' }
  return made
}

/** Where people sign in. */
function interactions(provider: Provider, accounts: readonly Account[]): Router {
  const router = new Router()
  router.get('/interaction/:uid', ctx => {
    ctx.type = 'html'
    ctx.body = providerPage('Sign in', signInForm(ctx.path))
  })
  router.post('/interaction/:uid', bodyParser(), async ctx => {
    const { username, password, choice } = ctx.request.body as Record<string, string>
    const finish = async (result: Parameters<Provider['interactionFinished']>[2]) => {
      ctx.respond = false
      await provider.interactionFinished(ctx.req, ctx.res, result)
    }
    if (choice === 'cancel') return finish({ error: 'access_denied', error_description: 'The person has cancelled.' })
    const account = accounts.find(one => one.username === username && one.password === password)
    if (account) return finish({ login: { accountId: account.subject } })
    ctx.status = 401
    ctx.type = 'html'
    ctx.body = providerPage('Sign in', signInForm(ctx.path, 'Nobody has this name and password. Try again.'))
  })
  return router
}

import type { ParameterizedContext } from 'koa'
import { AccessDenied, BackendInvalid, CredentialsInvalid } from '../errors.ts'
import { publish } from '../events.ts'
import { isPlainObject } from '../options.ts'
import { type StrataTraces, traced } from '../traces.ts'
import { backendFailure, type Credentials, checkUser, type UserBackend } from './backend.ts'
import type { RequestThrottle } from './throttle/request.ts'
import type { AuthenticatedUser } from './user.ts'

/** Where and by whom credentials are looked at. */
export interface Authentication {
  readonly backends: Iterable<UserBackend>
  readonly ctx: ParameterizedContext
  readonly throttle: RequestThrottle | undefined
  /** Whoever is known to have the credentials already: no backend is asked then. */
  readonly recall: (() => Promise<AuthenticatedUser | null>) | undefined
}

/**
 * Asks the backends in their order who has these credentials. Null: nobody, or somebody who may not log in.
 * @throws CredentialsInvalid where a field is no text
 * @throws TooManyAttempts where too many have failed: no backend is asked
 * @throws BackendUnavailable where a backend fails before one knows them
 */
export async function authenticateWith(
  { backends, ctx, throttle, recall }: Authentication,
  given: unknown,
): Promise<AuthenticatedUser | null> {
  const credentials = checkCredentials(given)
  if (Object.values(credentials).includes('')) return null
  const find = async () => (await recall?.()) ?? askEach(backends, credentials, ctx)
  return throttle ? throttle.run(credentials, find) : find()
}

async function askEach(
  backends: Iterable<UserBackend>,
  credentials: Credentials,
  ctx: ParameterizedContext,
): Promise<AuthenticatedUser | null> {
  for (const backend of backends) {
    if (!backend.authenticate) continue
    const user = await traced(
      'koa-strata:authenticate',
      { backend: backend.name },
      () => ask(backend, () => backend.authenticate!(credentials, ctx)),
      outcomeOf,
    )
    if (user === 'denied') {
      publish('koa-strata:login-failed', { reason: 'denied', backend: backend.name, ip: ctx.ip })
      return null
    }
    if (!user) continue
    if (checkUser(backend, user).isActive) return user
    publish('koa-strata:login-failed', { reason: 'inactive', backend: backend.name, ip: ctx.ip })
    return null
  }
  publish('koa-strata:login-failed', { reason: 'unknown', backend: null, ip: ctx.ip })
  return null
}

async function ask(
  backend: UserBackend,
  call: () => Promise<AuthenticatedUser | null>,
): Promise<AuthenticatedUser | null | 'denied'> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof AccessDenied) return 'denied'
    if (error instanceof BackendInvalid) throw error
    throw backendFailure(backend.name, error)
  }
}

/** What is told of an answer to whoever traces. */
function outcomeOf(answer: AuthenticatedUser | null | 'denied'): Partial<StrataTraces['koa-strata:authenticate']> {
  if (!answer || answer === 'denied') return { outcome: answer || 'unknown' }
  return { outcome: answer.isActive ? 'known' : 'inactive', user: answer.key }
}

function checkCredentials(given: unknown): Credentials {
  if (!isPlainObject(given) || Object.keys(given).length === 0) throw new CredentialsInvalid('credentials')
  for (const [field, value] of Object.entries(given)) {
    if (typeof value !== 'string') throw new CredentialsInvalid(/^[\w-]{1,64}$/.test(field) ? field : 'credentials')
  }
  return given as Credentials
}

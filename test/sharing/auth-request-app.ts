import Router, { type RouterMiddleware } from '@koa/router'
import type { ExecutionContext } from 'ava'
import { requireLogin, sessionOrBasicAuth } from 'koa-strata'
import { authRequest } from '../../lib/sharing/auth-request.ts'
import type { TestApp } from '../sessions/app.ts'
import { type Account, type Directory, directory, startUsersApp, type UsersAppOptions } from '../users/app.ts'

/** An app that says who may pass. */
export interface AskedApp extends TestApp {
  /** Its users: a test changes them there. */
  readonly people: Directory
}

export interface AskedAppOptions extends UsersAppOptions {
  /** Its users, by their ids. @default alice, and bob who may read reports */
  people?: Record<string, Partial<Account>>
  /** Whether names and passwords pass at /auth too. @default false */
  basic?: boolean
}

/**
 * Serves what nginx asks: below /auth whether somebody is logged in, has a permission, or comes with a name and a password; and sends on to its
 * login whoever asks for what nginx has.
 */
export async function startAskedApp(t: ExecutionContext, options: AskedAppOptions = {}): Promise<AskedApp> {
  const { people: given = { alice: {}, bob: { permissions: ['reports.read'] } }, basic = false, ...rest } = options
  const people = directory('people', given)
  const router = new Router()
  const byPassword = sessionOrBasicAuth({ realm: 'Reports' }) as RouterMiddleware
  router.all('/auth', ...(basic ? [byPassword] : []), authRequest() as RouterMiddleware)
  for (const name of ['reports', 'documents'])
    router.get(`/auth/${name}`, authRequest({ permission: `${name}.read` }) as RouterMiddleware)
  router.get('/auth/named', authRequest({ header: 'X-Login' }) as RouterMiddleware)
  router.get('/auth/basic', byPassword, authRequest() as RouterMiddleware)
  router.all(['/documents/{*path}', '/archive/{*path}'], requireLogin({ redirect: '/login' }) as RouterMiddleware)
  return { ...(await startUsersApp(t, { backends: [people], above: [router.routes()], ...rest })), people }
}

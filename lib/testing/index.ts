export { sessionStoreChecks } from './session-store-checks.ts'
export type { SessionStoreCheck, SessionStoreNeed, SessionStoreSetup } from './store-under-test.ts'

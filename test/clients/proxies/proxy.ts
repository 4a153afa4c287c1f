import type { Certificate } from '../../servers/certificate.ts'
import type { Owner } from '../../servers/owner.ts'

/** What a proxy stands in front of. */
export interface Behind {
  /** The ports of 127.0.0.1 that the processes of the app listen on. Each answers `GET /healthz` with 200 while it takes requests. */
  readonly apps: readonly number[]
  readonly certificate: Certificate
  /** Who may log in at the proxy (HTTP Basic, under /staff), and their passwords. */
  readonly staff: Readonly<Record<string, string>>
}

/** A proxy that runs. */
export interface RunningProxy {
  /** Its address over plain http, as `http://127.0.0.1:20001`; with the path below which it has the app, where its recipe has one. */
  readonly http: string
  /** The same over https, with the certificate it was given. */
  readonly https: string
}

/**
 * A real proxy with the configuration of its recipe, `recipes/behind-<name>/`. It balances over all processes of the app without affinity, passes
 * one by that is down, and says what is true in `X-Forwarded-For`, `-Host` and `-Proto`, whatever a client says in these.
 * Under `/staff` it asks for a name and a password itself, and names the user in `X-Remote-User`; elsewhere it removes that header, in each spelling.
 */
export interface ProxyUnderTest {
  readonly name: string
  start(owner: Owner, behind: Behind): Promise<RunningProxy>
  /** The same proxy as somebody would have it who has not read the recipe: it passes on whatever user header a client sends. For negative controls. */
  startCareless(owner: Owner, behind: Behind): Promise<RunningProxy>
}

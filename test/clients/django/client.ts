import type { Owner } from '../../servers/owner.ts'

/** What a client shows at the end of all redirects. */
export interface Shown {
  readonly url: string
  readonly status: number
  readonly text: string
}

/** One browser, with cookies of its own. */
export interface Tab {
  open(url: string): Promise<Shown>
  /** Fills in the form of a page by the names of its fields, and sends it. */
  submit(url: string, fields?: Readonly<Record<string, string>>): Promise<Shown>
}

/** A program that people visit sites with. */
export interface Client {
  readonly name: string
  /** A new one, without cookies. */
  start(owner: Owner): Promise<Tab>
}

/** Whoever a server or folder belongs to, and goes with: a test (`t`), or a program of its own. */
export interface Owner {
  teardown(end: () => unknown): void
}

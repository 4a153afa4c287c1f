/** Where Django keeps its sessions, by key: the signed texts that it writes and reads. Every method rejects where it cannot answer. */
export interface DjangoRecords {
  /** The text, and when it ends, in epoch milliseconds; null: absent or expired. */
  read(key: string): Promise<DjangoRecord | null>
  /** Adds a text; false, and nothing is overwritten, where there is one under this key. */
  add(key: string, record: DjangoRecord): Promise<boolean>
  /** Puts a text in the place of `before`; 'changed' where another one is there by now, 'gone' where none is that has not expired. */
  swap(key: string, before: string, record: DjangoRecord): Promise<'swapped' | 'changed' | 'gone'>
  /** Removes `before`, or whatever there is; 'changed' and 'gone' as above. */
  remove(key: string, before?: string): Promise<'removed' | 'changed' | 'gone'>
  /** Moves the end of a text, and leaves it as it is; false: absent or expired. */
  touch(key: string, expiresAt: number): Promise<boolean>
  /** All that have not expired, a few at a time. */
  all(): AsyncIterable<{ key: string; text: string }>
}

/** A session as Django keeps it. */
export interface DjangoRecord {
  readonly text: string
  /** In epoch milliseconds. */
  readonly expiresAt: number
}

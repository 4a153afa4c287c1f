/** What is called of the cache's client. */
export interface Cache {
  get(key: string): Promise<{ readonly value: unknown } | undefined>
  set(key: string, value: string, options: { lifetime: number }): Promise<unknown>
}

/** What `make` makes, from the cache while it is there. A cache that fails costs time and nothing else. @param lifetime in seconds */
export async function cached(
  cache: Cache,
  key: string,
  lifetime: number,
  make: () => Promise<string>,
): Promise<string> {
  try {
    const found = await cache.get(key)
    if (typeof found?.value === 'string') return found.value
  } catch {}
  const made = await make()
  try {
    await cache.set(key, made, { lifetime })
  } catch {}
  return made
}

/** The most items of one batch: what every SQL database takes as parameters of one statement. */
const LARGEST_BATCH = 500

interface Asked<Item, Found> extends PromiseWithResolvers<Found> {
  item: Item
}

/**
 * Makes one call of `many` out of the look-ups that are asked for in the same turn of the event loop. Each look-up is answered from a call that
 * began after it was asked for, so this is no cache. `many` gets each item once, as `keyOf` tells them apart, and answers in their order.
 */
export function coalesce<Item, Found>(
  many: (items: Item[]) => Promise<Found[]>,
  keyOf: (item: Item) => string,
): (item: Item) => Promise<Found> {
  let waiting = new Map<string, Asked<Item, Found>>()

  const flush = async (): Promise<void> => {
    const batch = [...waiting.values()]
    waiting = new Map()
    // A batch that was full has gone before its turn came.
    if (batch.length === 0) return
    try {
      const found = await many(batch.map(({ item }) => item))
      if (!Array.isArray(found) || found.length !== batch.length) {
        throw new TypeError('a look-up of many must answer an array with one entry for each item')
      }
      batch.forEach(({ resolve }, index) => {
        resolve(found[index] as Found)
      })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return item => {
    const key = keyOf(item)
    const asked = waiting.get(key)
    if (asked) return asked.promise
    if (waiting.size === 0) setImmediate(flush)
    const one = { item, ...Promise.withResolvers<Found>() }
    waiting.set(key, one)
    if (waiting.size === LARGEST_BATCH) void flush()
    return one.promise
  }
}

import { startDetachedApp } from './detached-app.ts'
import { openPlace, type Place } from './detached-places.ts'

/** Nothing outlives the process. */
const owner = { teardown() {} }

process.on('message', async (place: Place) => {
  const { port } = await startDetachedApp(owner, { store: await openPlace(owner, place) })
  process.send!({ kind: place.kind, port })
})
process.on('disconnect', () => process.exit())

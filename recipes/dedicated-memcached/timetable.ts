import { setTimeout as wait } from 'node:timers/promises'

const PLACES = ['Basel', 'Genoa', 'Lyon', 'Turin', 'Zurich']

/** The next departures and when they were looked up, as text. It takes a second, as something that is worth a cache does. */
export async function makeTimetable(): Promise<string> {
  await wait(1000)
  const now = Date.now()
  const departures = PLACES.map((place, index) => `${clock(now + (index + 1) * 420_000)}  ${place}`)
  return [...departures, '', `Looked up at ${clock(now)}.`].join('\n')
}

function clock(moment: number): string {
  return new Date(moment).toTimeString().slice(0, 8)
}

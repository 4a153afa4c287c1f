import { setTimeout as wait } from 'node:timers/promises'

/**
 * Waits before a compare-and-swap is tried again that others came before. A process with many writers in line swaps once in two round trips: who
 * tried again in step with it would come second each time. So the wait is drawn from more than that, and grows until the line is at its end.
 * @param tries how many have failed
 * @param since when the last of them was begun, by performance.now()
 */
export async function backOff(tries: number, since: number): Promise<void> {
  // Mostly there was one other, and it is done.
  if (tries > 1) await wait(Math.random() * Math.max(2 ** Math.min(tries, 6), 2 * tries * (performance.now() - since)))
}

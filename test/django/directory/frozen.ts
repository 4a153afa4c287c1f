import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { lasting, recordsIn } from './records.ts'

/** What a thread is told: to swap '0' for 'ours', and to stand still between its last look and the rename. */
export interface FrozenOptions {
  directory: string
  key: string
  /** Whether it may watch the folder. */
  watches: boolean
  /** What wakes it: a 1, notified. */
  wake: Int32Array<SharedArrayBuffer>
}

const { directory, key, watches, wake } = workerData as FrozenOptions
const { renameSync } = fs

fs.renameSync = (from, to) => {
  fs.renameSync = renameSync
  syncBuiltinESMExports()
  parentPort!.postMessage('frozen')
  Atomics.wait(wake, 0, 0)
  renameSync(from, to)
}
if (!watches)
  fs.watch = () => {
    throw Object.assign(new Error('no watch is left'), { code: 'ENOSPC' })
  }
syncBuiltinESMExports()

parentPort!.postMessage(await recordsIn(directory).swap(key, '0', lasting('ours')))

import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { newFolder } from '../servers/folder.ts'

/** A disk that is soon full. */
export interface SmallDisk {
  readonly directory: string
  /** Makes it larger. */
  grow(): void
}

/**
 * A tmpfs of 3 MB, which takes root to mount; it goes when the test ends.
 * @param pid a process: whoever it runs as owns the disk
 */
export function mountSmallDisk(t: ExecutionContext, pid: number): SmallDisk {
  const directory = newFolder('small-disk')
  const { uid, gid } = statSync(`/proc/${pid}`)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=3m,mode=700,uid=${uid},gid=${gid}`, 'tmpfs', directory])
  t.teardown(() => execFileSync('umount', ['--lazy', directory]))
  return { directory, grow: () => execFileSync('mount', ['-o', 'remount,size=64m', directory]) }
}

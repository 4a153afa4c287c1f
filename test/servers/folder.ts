import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let root: string | undefined

/** A new folder for a server's data. All of them go when this process ends, however it ends. */
export function newFolder(name: string): string {
  root ??= guardedRoot()
  return mkdtempSync(join(root, `${name}-`))
}

function guardedRoot(): string {
  const made = mkdtempSync(join(tmpdir(), 'strata-servers-'))
  // A server that runs as somebody else has to get through to its own folder.
  chmodSync(made, 0o711)
  const guard = spawn('/bin/sh', ['-c', 'cat >/dev/null; sleep 1; rm -rf "$1"', 'guard', made], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  ;(guard.stdin as unknown as { unref(): void }).unref()
  return made
}

import { accessSync, constants, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Where Debian puts servers, beside the PATH. */
const ALSO = ['/usr/sbin', '/usr/local/sbin', '/sbin']

/**
 * The path of an installed program.
 * @param debianPackage what to install where it is missing
 * @throws Error with the line that installs it
 */
export function program(name: string, debianPackage: string): string {
  const folders = [...(process.env.PATH ?? '').split(':'), ...ALSO, ...postgresqlFolders()]
  const found = folders.map(folder => join(folder, name)).find(isProgram)
  if (found) return found
  throw new Error(
    `The tests start a ${name} of their own, and it is not installed. On Debian, as root: ` +
      `apt-get update && apt-get install --yes --no-install-recommends ${debianPackage}`,
  )
}

/** Debian keeps PostgreSQL's programs by version. The newest comes first. */
function postgresqlFolders(): string[] {
  const home = '/usr/lib/postgresql'
  try {
    const versions = readdirSync(home).sort((one, other) => Number(other) - Number(one))
    return versions.map(version => join(home, version, 'bin'))
  } catch {
    return []
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

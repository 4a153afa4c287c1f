/**
 * Checks the package as users get it: packs it, lints the tarball (publint, attw), installs it into an empty TypeScript project, type checks that
 * project strictly, declarations of libraries included, and runs it.
 *
 * Without it a missing file, a declaration that names a type of ours which was not published, or root declarations that need knex, would be
 * found by the first user: the checkout itself resolves everything to lib/. The project's lines with @ts-expect-error show that the compiler looks.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectRoot } from './report.ts'

/** The oldest TypeScript whose users are served, beside the newest, which is ours. */
const OLDER_TYPESCRIPT = '5.9.3'

const RESOLUTIONS = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
]

const consumer = fileURLToPath(new URL('consumer', import.meta.url))

/** What a command prints. Its environment is the user's own: nothing that npm told this script about this project reaches an npm in another. */
function run(what: string, command: string, args: string[], cwd: string): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?:package|lifecycle|config_local)/.test(name)),
  )
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env, maxBuffer: 2 ** 26 }, (failure, stdout, stderr) => {
      if (failure) reject(new Error(`${what} failed: ${[command, ...args].join(' ')}\n${stdout}${stderr}`))
      else {
        console.log(`package: ${what}`)
        resolve(stdout)
      }
    })
  })
}

function bin(name: string): string {
  return join(projectRoot, 'node_modules', '.bin', name)
}

/** `name@version` as our lock file has it. */
function locked(name: string): string {
  const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>
  }
  return `${name}@${lock.packages[`node_modules/${name}`]!.version}`
}

function install(project: string, packages: string[]): Promise<string> {
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  return run(`installs ${packages.length} packages`, 'npm', ['install', ...quiet, ...packages], project)
}

async function typeChecks(what: string, project: string, files: string[]): Promise<void> {
  for (const resolution of RESOLUTIONS) {
    const config = `tsconfig.${resolution.moduleResolution}.json`
    const compilerOptions = {
      ...resolution,
      target: 'es2022',
      lib: ['es2022'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: false,
      skipLibCheck: false,
      allowImportingTsExtensions: true,
      noEmit: true,
    }
    writeFileSync(join(project, config), JSON.stringify({ compilerOptions, files }))
    for (const compiler of ['typescript', 'typescript-older']) {
      const tsc = join(project, 'node_modules', compiler, 'bin', 'tsc')
      const args = [tsc, '-p', config, '--pretty', 'false']
      await run(`${what} type checks by ${compiler}, ${resolution.moduleResolution}`, process.execPath, args, project)
    }
  }
}

/** Packs a project, and answers where the tarball is. */
export async function pack(root: string, into: string): Promise<string> {
  mkdirSync(into)
  await run('packs', 'npm', ['pack', '--pack-destination', into], root)
  const [tarball] = readdirSync(into)
  return join(into, tarball!)
}

/** @throws where a file, a condition or a declaration is missing or would be misread */
export async function lintTarball(tarball: string): Promise<void> {
  await run('publint', bin('publint'), [tarball, '--strict'], dirname(tarball))
  await run('attw', bin('attw'), [tarball, '--profile', 'esm-only'], dirname(tarball))
}

async function checkPackage(temporary: string): Promise<void> {
  const tarball = await pack(projectRoot, join(temporary, 'tarball'))
  await lintTarball(tarball)

  const project = join(temporary, 'consumer')
  cpSync(consumer, project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  const compilers = [locked('typescript'), `typescript-older@npm:typescript@${OLDER_TYPESCRIPT}`]
  await install(project, [tarball, locked('koa'), locked('@types/node'), ...compilers])
  if (readdirSync(join(project, 'node_modules')).includes('knex'))
    throw new Error('knex came with the package, and is to be optional.')
  await typeChecks('the root door without knex', project, ['root.ts'])
  await install(project, ['knex', '@koa/router', 'better-sqlite3'].map(locked))
  await typeChecks('every door', project, ['root.ts', 'every-door.ts', 'program.ts'])
  console.log(`package: ${(await run('a program runs', process.execPath, ['program.ts'], project)).trim()}`)
  const command = join(project, 'node_modules', '.bin', 'koa-strata')
  await run('the command makes tables', command, ['migrate', '--database', './site.db'], project)
  await run('the command looks at them', command, ['doctor', '--database', './site.db', '--json'], project)
}

async function main(): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), 'koa-strata-package-'))
  try {
    await checkPackage(temporary)
    console.log('package: in order')
  } catch (error) {
    console.error(`package: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

if (import.meta.main) await main()

import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { firstWords } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

const run = promisify(execFile)

/**
 * A private MariaDB with a database `strata` and the user `strata`, who may do anything.
 * @param options.args as `['--innodb-lock-wait-timeout=2']`
 * @param options.folder where its data is kept @default a new one
 */
export async function startMariadb(
  owner: Owner,
  { args = [], folder = newFolder('mariadb') }: { args?: readonly string[]; folder?: string } = {},
): Promise<Server> {
  const path = program('mariadbd', 'mariadb-server')
  const data = join(folder, 'data')
  const user = `--user=${userInfo().username}`
  mkdirSync(data)
  await run(program('mariadb-install-db', 'mariadb-server'), [
    '--no-defaults',
    `--datadir=${data}`,
    // A MariaDB that starts removes what it takes for the leftovers of another one in a folder that they share.
    `--tmpdir=${folder}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    user,
  ])
  const first = join(folder, 'first.sql')
  writeFileSync(
    first,
    `create database if not exists strata character set utf8mb4;
create user if not exists strata@'127.0.0.1' identified by 'strata';
grant all on *.* to strata@'127.0.0.1' with grant option;
`,
  )
  return Server.start(owner, {
    name: 'mariadbd',
    folder,
    start: port => ({
      program: path,
      args: [
        '--no-defaults',
        `--datadir=${data}`,
        `--tmpdir=${folder}`,
        `--socket=${join(folder, 's')}`,
        `--pid-file=${join(folder, 'pid')}`,
        `--init-file=${first}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--max-connections=500',
        // What is committed outlives a kill of the server, and not a power cut, which no test brings about.
        '--innodb-flush-log-at-trx-commit=2',
        '--innodb-flush-method=nosync',
        '--innodb-buffer-pool-size=64M',
        user,
        ...args,
      ],
    }),
    url: port => `mysql://strata:strata@127.0.0.1:${port}/strata`,
    // It greets whoever connects, with its version.
    answers: async port => /MariaDB/.test(await firstWords(port)),
  })
}

import { execFile, execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { newFolder } from './folder.ts'
import type { Owner } from './owner.ts'
import { freePort } from './port.ts'
import { program } from './program.ts'
import { Server } from './server.ts'

const run = promisify(execFile)
const NODES = 3
const PROVIDER = '/usr/lib/galera/libgalera_smm.so'
/** How long the nodes may take to find each other, in milliseconds. */
const PATIENCE = 60_000
const MOST_TRIES = 3

/** A private Galera cluster. Each node has a database `strata` and the user `strata`, who may do anything. */
export interface Galera {
  readonly nodes: readonly Server[]
  readonly urls: readonly string[]
  /** What a node says of itself, as its `wsrep_cluster_size`; null where it cannot be asked. */
  status(node: Server, variable: string): Promise<string | null>
}

/** What a Galera cluster is started with. */
export interface GaleraOptions {
  /** Settings of each node, by their names in an option file, beside those of its places. */
  settings?: Readonly<Record<string, string>>
  /** What stands in `wsrep_provider_options`, beside the node's places. */
  provider?: Readonly<Record<string, string>>
}

/** Where a node is. */
interface Place {
  readonly folder: string
  /** What it is called by the others: a UUID. */
  readonly name: string
  readonly group: number
  readonly increments: number
  readonly state: number
}

/**
 * Three nodes of MariaDB Galera. A node that is killed is missed for as long as `evs.suspect_timeout` says, 2 s unless told; until then nothing is
 * committed. One that is started again gets what it has missed from the others.
 */
export async function startGalera(owner: Owner, options: GaleraOptions = {}): Promise<Galera> {
  const as = process.getuid?.() === 0 ? debianUser() : undefined
  const seed = await seeded(as)
  for (let tries = 1; ; tries++) {
    try {
      const galera = await startNodes(owner, options, seed, as)
      rmSync(seed, { recursive: true })
      return galera
    } catch (error) {
      // Somebody else may have taken one of the ports that they meet at.
      if (tries === MOST_TRIES) throw error
    }
  }
}

async function startNodes(owner: Owner, options: GaleraOptions, seed: string, as: Identity): Promise<Galera> {
  const places = await Promise.all(Array.from({ length: NODES }, newPlace))
  for (const { folder, name } of places) {
    cpSync(seed, join(folder, 'data'), { recursive: true })
    // As after a power cut of all nodes: who was there at the end, so that they go on by themselves when all are back, and nobody copies from
    // anybody.
    const view = `view_id: 3 ${places[0]!.name} ${NODES}\nbootstrap: 0`
    const members = places.map(one => `member: ${one.name} 0`).join('\n')
    writeFileSync(join(folder, 'data/gvwstate.dat'), `my_uuid: ${name}\n#vwbeg\n${view}\n${members}\n#vwend\n`)
    if (as) await run('chown', ['-R', `${as.uid}:${as.gid}`, folder])
  }
  const started = await Promise.allSettled(places.map(place => startNode(owner, place, places, options, as)))
  const nodes = started.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
  try {
    const failed = started.find(one => one.status === 'rejected')
    if (failed) throw failed.reason
    await untilMet(nodes)
  } catch (error) {
    await Promise.all(nodes.map(node => node.kill()))
    throw error
  }
  return { nodes, urls: nodes.map(({ url }) => url), status }
}

async function newPlace(): Promise<Place> {
  const [group, increments, state] = [await freePort(), await freePort(), await freePort()]
  return { folder: newFolder('galera'), name: randomUUID(), group, increments, state }
}

async function untilMet(nodes: readonly Server[]): Promise<void> {
  const deadline = performance.now() + PATIENCE
  const sizes = () => Promise.all(nodes.map(node => status(node, 'wsrep_cluster_size')))
  while (!(await sizes()).every(size => size === String(NODES))) {
    if (performance.now() > deadline) throw new Error('The nodes of the Galera cluster have not met.')
    await wait(50)
  }
}

type Identity = { uid: number; gid: number } | undefined

/** rsync, by which nodes get the whole of the data, does not read as root; Debian's package makes a user for MariaDB. */
function debianUser(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'mysql'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** The folder of a node that was alone for a moment: all nodes begin with copies of it, so that all have the same state. */
async function seeded(as: Identity): Promise<string> {
  if (!existsSync(PROVIDER))
    throw new Error(`There is no ${PROVIDER}. On Debian, as root: apt-get install --yes galera-4`)
  for (const tool of ['rsync', 'lsof']) program(tool, tool)
  const folder = newFolder('galera')
  const [data, first] = [join(folder, 'data'), join(folder, 'first.sql')]
  mkdirSync(data)
  writeFileSync(
    first,
    `create database strata character set utf8mb4;
create user strata@'127.0.0.1' identified by 'strata';
grant all on *.* to strata@'127.0.0.1' with grant option;
shutdown;
`,
  )
  if (as) for (const path of [folder, data, first]) chownSync(path, as.uid, as.gid)
  const paths = ['--no-defaults', `--datadir=${data}`, `--tmpdir=${folder}`, '--innodb-log-file-size=8M']
  await run(
    program('mariadb-install-db', 'mariadb-server'),
    [...paths, '--auth-root-authentication-method=normal', '--skip-test-db', `--user=${userNamed(as)}`],
    { ...as, cwd: folder },
  )
  const group = await freePort()
  await run(
    program('mariadbd', 'mariadb-server'),
    [
      ...paths,
      ...GALERA,
      '--wsrep-new-cluster',
      '--wsrep-cluster-address=gcomm://',
      '--wsrep-node-address=127.0.0.1',
      `--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:${group};base_port=${group};gcache.size=1M`,
      `--init-file=${first}`,
      '--skip-networking',
      `--socket=${join(folder, 's')}`,
      `--pid-file=${join(folder, 'pid')}`,
    ],
    { ...as, cwd: folder },
  )
  const state = readFileSync(join(data, 'grastate.dat'), 'utf8')
  if (/seqno: +-1/.test(state)) throw new Error('The first node of the Galera cluster has left no state.')
  for (const left of ['galera.cache', 'gvwstate.dat']) rmSync(join(data, left), { force: true })
  return data
}

function userNamed(as: Identity): string {
  return as ? 'mysql' : userInfo().username
}

const GALERA = [
  '--wsrep-on=ON',
  `--wsrep-provider=${PROVIDER}`,
  '--wsrep-cluster-name=strata',
  '--binlog-format=ROW',
  '--innodb-autoinc-lock-mode=2',
]

/** Looks first how far the data is, as Debian's unit for systemd does: else a node that was killed would ask for all of it. */
const START = `
  at=$("$@" --wsrep-recover 2>&1 | sed -n 's/.*Recovered position: *\\([0-9a-f-]*:[0-9-]*\\).*/\\1/p')
  exec "$@" \${at:+--wsrep-start-position=$at}
`

function startNode(
  owner: Owner,
  place: Place,
  places: readonly Place[],
  { settings = {}, provider = {} }: GaleraOptions,
  as: Identity,
): Promise<Server> {
  const { folder, name, group, increments, state } = place
  const path = program('mariadbd', 'mariadb-server')
  const providerOptions = {
    'gcache.size': '8M',
    'evs.keepalive_period': 'PT0.5S',
    'evs.inactive_check_period': 'PT0.5S',
    'evs.suspect_timeout': 'PT2S',
    'evs.inactive_timeout': 'PT6S',
    ...provider,
    'gmcast.listen_addr': `tcp://127.0.0.1:${group}`,
    base_host: '127.0.0.1',
    base_port: String(group),
    'ist.recv_addr': `127.0.0.1:${increments}`,
  }
  const more = Object.entries(settings).map(([setting, value]) => `--${setting.replaceAll('_', '-')}=${value}`)
  return Server.start(owner, {
    name: 'mariadbd of Galera',
    folder,
    start: port => ({
      program: '/bin/sh',
      args: [
        '-c',
        START,
        'start',
        path,
        '--no-defaults',
        `--datadir=${join(folder, 'data')}`,
        `--tmpdir=${folder}`,
        `--socket=${join(folder, 's')}`,
        `--pid-file=${join(folder, 'pid')}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--max-connections=200',
        '--innodb-flush-log-at-trx-commit=2',
        '--innodb-buffer-pool-size=32M',
        '--innodb-log-file-size=8M',
        ...GALERA,
        ...more,
        `--wsrep-cluster-address=gcomm://${places.map(one => `127.0.0.1:${one.group}`).join(',')}`,
        '--wsrep-node-address=127.0.0.1',
        `--wsrep-node-name=${name}`,
        '--wsrep-sst-method=rsync',
        `--wsrep-sst-receive-address=127.0.0.1:${state}`,
        `--wsrep-provider-options=${Object.entries(providerOptions)
          .map(([option, value]) => `${option}=${value}`)
          .join(';')}`,
      ],
      as,
    }),
    url: port => `mysql://strata:strata@127.0.0.1:${port}/strata`,
    // It takes connections before it has what the others have.
    answers: async port => (await statusAt(port, 'wsrep_ready')) === 'ON',
  })
}

function status({ port }: Server, variable: string): Promise<string | null> {
  return statusAt(port, variable)
}

async function statusAt(port: number, variable: string): Promise<string | null> {
  try {
    const connection = await createConnection({
      host: '127.0.0.1',
      port,
      user: 'strata',
      password: 'strata',
      connectTimeout: 1000,
    })
    try {
      const [rows] = await connection.query<RowDataPacket[]>('show global status like ?', [variable])
      return rows[0]?.Value ?? null
    } finally {
      connection.destroy()
    }
  } catch {
    return null
  }
}

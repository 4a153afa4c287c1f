import { type AuthenticatedUser, detachedUsers } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { remoteUsers } from '../../lib/sharing.ts'
import type { UserBackendNeed, UserBackendSetup } from '../../lib/testing/index.ts'
import type { IdType } from '../../lib/users/sql/ids.ts'
import type { MappedSqlUsers } from '../../lib/users/sql/users.ts'
import { type DatabaseName, migratedDatabase } from '../database/servers.ts'
import { addUser as addDjangoUser, djangoTables, pbkdf2Hash } from '../django/users/tables.ts'
import type { Owner } from '../servers/owner.ts'
import { type Directory, directory, stampingDirectory } from '../users/app.ts'
import { ownTable } from '../users/sql/own-table.ts'

/** What a backend may lack. */
export const NEEDS = [
  'authenticate',
  'load',
  'loadMany',
  'identify',
  'endSessions',
  'toSession',
  'setPassword',
  'deactivate',
  'remove',
] as const satisfies UserBackendNeed[]

/** A user backend, on the real thing. */
export interface BackendCase {
  /** It, with nobody in it, until its owner ends. */
  setup(owner: Owner): Promise<UserBackendSetup>
  /** Which of what a backend may lack it has. */
  can: readonly UserBackendNeed[]
}

function managed(backend: MappedSqlUsers): UserBackendSetup {
  return {
    backend,
    add: async person => (await backend.create(person)).id,
    setPassword: (id, password) => backend.setPassword(id, password),
    deactivate: id => backend.deactivate(id),
    remove: id => backend.delete(id),
  }
}

async function sqlSetup(owner: Owner, name: DatabaseName): Promise<UserBackendSetup> {
  return managed(sqlUsers((await migratedDatabase(owner, name)).knex))
}

/** A table of the application, whose collation thinks more equal than is, without columns for epochs and activity. */
async function ownSetup(owner: Owner, name: DatabaseName, idType: IdType): Promise<UserBackendSetup> {
  const { deactivate: _, ...setup } = managed((await ownTable(owner, name, { idType })).people)
  return setup
}

/** Django's own table, whose people are changed behind the backend's back. */
async function djangoSetup(owner: Owner, name: DatabaseName): Promise<UserBackendSetup> {
  const { knex, people } = await djangoTables(owner, name)
  const change = async (id: string, row: object) => {
    await knex('auth_user').where({ id }).update(row)
  }
  return {
    backend: people,
    // As Django's forms and managers do.
    async add({ username, password }) {
      const normalized = username.normalize('NFKC')
      if (!/^[\p{L}\p{N}_.@+-]{1,150}$/u.test(normalized)) throw new RangeError('Nobody can have such a name.')
      return addDjangoUser(knex, { username: normalized, password: pbkdf2Hash(password) })
    },
    setPassword: (id, password) => change(id, { password: pbkdf2Hash(password) }),
    deactivate: id => change(id, { is_active: false }),
    async remove(id) {
      await knex('auth_user').where({ id }).del()
    },
  }
}

/** The people of a detached backend, by their ids. */
function peopleElsewhere() {
  const people = new Map<string, { username: string; password: string; changes: number }>()
  const identity = (id: string) => {
    const person = people.get(id)
    return person ? { id, username: person.username, stamp: `${id} ${person.changes}` } : null
  }
  return {
    authenticate: async ({ username = '', password }: Readonly<Record<string, string>>) =>
      people.get(`person/${username}`)?.password === password ? identity(`person/${username}`) : null,
    load: async (id: string) => identity(id),
    setup: {
      async add({ username, password }) {
        const id = `person/${username}`
        people.set(id, { username, password, changes: 0 })
        return id
      },
      async setPassword(id, password) {
        const { username, changes } = people.get(id)!
        people.set(id, { username, password, changes: changes + 1 })
      },
      async remove(id) {
        people.delete(id)
      },
    } satisfies Omit<UserBackendSetup, 'backend'>,
  }
}

/** Detached users, loaded or carried by the session. */
export async function detachedSetup(withLoad: boolean): Promise<UserBackendSetup> {
  const { authenticate, load, setup } = peopleElsewhere()
  return { ...setup, backend: detachedUsers({ name: 'ldap', authenticate, load: withLoad ? load : undefined }) }
}

/** @param known whom `load` knows; without it whoever is named is there */
async function remoteSetup(known?: Set<string>): Promise<UserBackendSetup> {
  const load = known && (async (id: string) => (known.has(id) ? { id } : null))
  return {
    backend: remoteUsers({ load }),
    async add({ username }) {
      known?.add(username)
      return username
    },
    ...(known && {
      async remove(id: string) {
        known.delete(id)
      },
    }),
  }
}

/** A setup of a directory, which tests of the layer use. */
export function directorySetup(backend: Directory): UserBackendSetup {
  return {
    backend,
    async add({ username, password }) {
      backend.accounts.set(username, directory(backend.name, { [username]: { password } }).accounts.get(username)!)
      return username
    },
    async setPassword(id, password) {
      const account = backend.accounts.get(id)!
      Object.assign(account, { password, stamp: `${account.stamp}'` })
    },
    async deactivate(id) {
      backend.accounts.get(id)!.isActive = false
    },
    async remove(id) {
      backend.accounts.delete(id)
    },
  }
}

/** A directory that has every optional method but those of snapshots. */
export function wholeDirectory(): Directory {
  const backend = stampingDirectory('whole', {})
  const load = (id: string): Promise<AuthenticatedUser | null> => backend.load(id)
  return Object.assign(backend, {
    loadMany: (ids: string[]) => Promise.all(ids.map(load)),
    identify: (name: string) => load(name),
  })
}

const MANAGED = ['setPassword', 'deactivate', 'remove'] as const
const SQL = ['authenticate', 'load', 'loadMany', 'identify', 'endSessions', ...MANAGED] as const
const OWN = ['authenticate', 'load', 'loadMany', 'identify', 'setPassword', 'remove'] as const
const DJANGO = ['authenticate', 'load', 'loadMany', 'identify', ...MANAGED] as const
const DETACHED = ['authenticate', 'setPassword', 'remove'] as const

/** Every user backend that the contract is shown on. */
export const BACKENDS: Readonly<Record<string, BackendCase>> = {
  'sqlUsers on sqlite': { setup: owner => sqlSetup(owner, 'sqlite'), can: SQL },
  'sqlUsers on mariadb': { setup: owner => sqlSetup(owner, 'mariadb'), can: SQL },
  'sqlUsers on postgresql': { setup: owner => sqlSetup(owner, 'postgresql'), can: SQL },
  'sqlUsers on a table of its own, sqlite': { setup: owner => ownSetup(owner, 'sqlite', 'text'), can: OWN },
  'sqlUsers on a table of its own, mariadb': { setup: owner => ownSetup(owner, 'mariadb', 'text'), can: OWN },
  'sqlUsers on a table of its own, postgresql': { setup: owner => ownSetup(owner, 'postgresql', 'uuid'), can: OWN },
  'djangoUsers on sqlite': { setup: owner => djangoSetup(owner, 'sqlite'), can: DJANGO },
  'djangoUsers on mariadb': { setup: owner => djangoSetup(owner, 'mariadb'), can: DJANGO },
  'djangoUsers on postgresql': { setup: owner => djangoSetup(owner, 'postgresql'), can: DJANGO },
  detachedUsers: { setup: () => detachedSetup(false), can: [...DETACHED, 'toSession'] },
  'detachedUsers with load': { setup: () => detachedSetup(true), can: [...DETACHED, 'load'] },
  remoteUsers: { setup: () => remoteSetup(), can: ['identify', 'toSession'] },
  'remoteUsers with load': { setup: () => remoteSetup(new Set()), can: ['identify', 'load', 'remove'] },
  directory: { setup: async () => directorySetup(directory('local', {})), can: ['authenticate', 'load', ...MANAGED] },
  'directory with everything': {
    setup: async () => directorySetup(wholeDirectory()),
    can: NEEDS.filter(need => need !== 'toSession'),
  },
}

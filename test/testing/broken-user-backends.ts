import { createHash } from 'node:crypto'
import { setImmediate as soon } from 'node:timers/promises'
import type { AuthenticatedUser, Credentials, UserBackend } from 'koa-strata'
import { detachedUsers } from 'koa-strata'
import type { UserBackendSetup } from '../../lib/testing/index.ts'
import type { Account, Directory } from '../users/app.ts'
import { userOf } from '../users/app.ts'
import { directorySetup, wholeDirectory } from './user-backends.ts'

type Whole = Directory & Required<Pick<UserBackend, 'authenticate' | 'loadMany' | 'identify' | 'endSessions'>>
type Break = (backend: Whole) => Partial<UserBackend>

/** A directory that compares names as `same` says. */
const comparing =
  (
    same: (typed: string, name: string) => boolean,
    isRight = (typed: string, password: string) => typed === password,
  ): Break =>
  backend => ({
    async authenticate({ username = '', password = '' }) {
      for (const [id, account] of backend.accounts)
        if (same(username, id) && isRight(password, account.password)) return backend.load(id)
      return null
    },
  })

/** Users that differ in something from what they are. */
const answering =
  (change: (user: AuthenticatedUser, account: Account) => object): Break =>
  backend => {
    const changed = (user: AuthenticatedUser | null) =>
      user && { ...user, ...change(user, backend.accounts.get(user.id) ?? ({} as Account)) }
    return {
      authenticate: async (given, ctx) => changed(await backend.authenticate(given, ctx)),
      load: async id => changed(await backend.load(id)),
      loadMany: async ids => (await backend.loadMany(ids)).map(changed),
      identify: async (name, ctx) => changed(await backend.identify(name, ctx)),
    }
  }

/** A stamp that is made of the account alone. */
const stamping = (stamp: (account: Account) => string): Break =>
  answering((_user, account) => ({ stamp: stamp(account) }))

const base = new Intl.Collator('en', { sensitivity: 'base' })
const EVERYBODY = "' or '1'='1"

/** Mistakes that a backend can make, each with the title of a check that has to find it. */
export const MISTAKES: Record<string, { found: string; mistake: Break }> = {
  'whose name is none': {
    found: "The backend's name begins with a letter and holds letters, digits, '-' and '_', 64 at most.",
    mistake: () => ({ name: 'my backend' }),
  },
  "whose users carry another backend's name": {
    found: "A user carries the backend's name, the id, and both as key.",
    mistake: answering(({ id }) => ({ backend: 'other', key: `other:${id}` })),
  },
  'whose keys are the ids': {
    found: "A user carries the backend's name, the id, and both as key.",
    mistake: answering(({ id }) => ({ key: id })),
  },
  'whose users lack an address': {
    found: 'A user has everything that a user has, of the right type.',
    mistake: answering(() => ({ email: undefined })),
  },
  'whose users are all staff': {
    found: 'A user has everything that a user has, of the right type.',
    mistake: answering(() => ({ isStaff: true })),
  },
  'that loads a user under another name': {
    found: 'A user at the next request is who they were.',
    mistake: backend => ({ load: async id => ({ ...(await backend.load(id))!, username: 'somebody' }) }),
  },
  'that has one id for all': {
    found: 'Two people have different ids and keys.',
    mistake: answering(() => ({ id: '1', key: 'whole:1' })),
  },
  'whose users carry the row of the table': {
    found: 'A user holds neither their password nor what it is kept as.',
    mistake: answering(() => ({ row: { password: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA' } })),
  },
  'whose users carry their password': {
    found: 'A user holds neither their password nor what it is kept as.',
    mistake: answering((_user, { password }) => ({ attributes: { userPassword: [password] } })),
  },
  'that looks permissions up in an object': {
    found: 'Somebody without permissions has none, whatever it is called.',
    mistake: answering(() => ({ hasPermission: (name: string) => name in {} })),
  },
  'that lets an empty permission be': {
    found: 'Somebody without permissions has none, whatever it is called.',
    mistake: answering(() => ({ hasPermission: (name: string) => name === '' })),
  },
  'whose load throws for what it cannot parse': {
    found: 'load rejects for no id, and never answers somebody else.',
    mistake: backend => ({
      load: async id => {
        decodeURIComponent(id)
        if (id.includes('\0')) throw new Error('invalid byte sequence')
        return backend.load(id)
      },
    }),
  },
  'whose load knows nobody': {
    found: 'load answers somebody by their id.',
    mistake: () => ({ load: async () => null }),
  },
  'whose load makes up a user for every id': {
    found: 'load answers null for ids that nobody has, whatever is in them.',
    mistake: backend => ({ load: async id => (id === '' ? null : ((await backend.load(id)) ?? userOf('whole', id))) }),
  },
  'whose load puts the id into its query': {
    found: 'load answers null for ids that nobody has, whatever is in them.',
    mistake: backend => ({
      load: async id => (id === EVERYBODY ? backend.load([...backend.accounts.keys()][0]!) : backend.load(id)),
    }),
  },
  'whose load trims': {
    found: 'load goes by the exact id, and by nothing that only looks like it.',
    mistake: backend => ({ load: id => backend.load(id.trim()) }),
  },
  'whose load reads a number from the beginning of the id': {
    found: 'load goes by the exact id, and by nothing that only looks like it.',
    mistake: backend => ({ load: id => backend.load(/^\w*/.exec(id)![0]) }),
  },
  'whose loads share a variable': {
    found: 'Loads at once answer each their own.',
    mistake: backend => {
      let asked = ''
      return {
        load: async id => {
          asked = id
          await soon()
          return backend.load(asked)
        },
      }
    },
  },
  'that remembers whom it has loaded': {
    found: 'Somebody who was taken away is nobody at the next load, and others stay.',
    mistake: backend => {
      const known = new Map<string, AuthenticatedUser>()
      const remember = (user: AuthenticatedUser | null) => {
        if (user) known.set(user.id, user)
        return user
      }
      return {
        authenticate: async (given, ctx) => remember(await backend.authenticate(given, ctx)),
        // Whoever is new is looked at once.
        load: async id => known.get(id) ?? remember(await backend.load(id)) ?? userOf('whole', id),
      }
    },
  },
  'that loads people who were locked out as active': {
    found: 'Somebody who was locked out is loaded as inactive, or not at all.',
    mistake: answering(() => ({ isActive: true })),
  },
  'whose people who were locked out may still do things': {
    found: 'Somebody who was locked out may do nothing.',
    mistake: answering(({ isActive }) => ({ hasPermission: (name: string) => !isActive && name === 'read' })),
  },
  "whose loadMany answers in the table's order": {
    found: 'loadMany answers in the order of the ids.',
    mistake: backend => ({ loadMany: ids => backend.loadMany(ids.toSorted()) }),
  },
  'whose loadMany answers each user once': {
    found: 'loadMany answers an id that comes twice twice.',
    mistake: backend => ({ loadMany: ids => backend.loadMany([...new Set(ids)]) }),
  },
  'whose loadMany leaves out whom it does not find': {
    found: 'loadMany answers null in the place of each id that nobody has.',
    mistake: backend => ({ loadMany: async ids => (await backend.loadMany(ids)).filter(Boolean) }),
  },
  'whose loadMany answers undefined for nobody': {
    found: 'loadMany answers an empty list for no ids, and nulls where nobody has any of them.',
    mistake: backend => ({
      loadMany: async ids => (await backend.loadMany(ids)).map(user => user ?? (undefined as unknown as null)),
    }),
  },
  'whose loadMany fails for an empty list': {
    found: 'loadMany answers an empty list for no ids, and nulls where nobody has any of them.',
    mistake: backend => ({
      loadMany: async ids => (ids.length === 0 ? (null as unknown as []) : backend.loadMany(ids)),
    }),
  },
  'whose loadMany ends at a hundred': {
    found: 'loadMany takes 500 ids at once.',
    mistake: backend => ({ loadMany: ids => backend.loadMany(ids.slice(0, 100)) }),
  },
  'whose loadMany sorts the list that it is handed': {
    found: 'loadMany leaves the list of ids as it was handed in.',
    mistake: backend => ({
      async loadMany(ids) {
        const order = [...ids]
        try {
          ids.sort()
        } catch {
          return []
        }
        return backend.loadMany(order)
      },
    }),
  },
  'whose loadMany has other columns': {
    found: 'loadMany answers who load answers.',
    mistake: backend => ({
      loadMany: async ids => (await backend.loadMany(ids)).map(user => user && { ...user, stamp: '' }),
    }),
  },
  'that lets nobody in': {
    found: 'The right name and password are answered by the user who has them.',
    mistake: () => ({ authenticate: async () => null }),
  },
  'whose passwords know no case': {
    found: 'A wrong password lets nobody in, however near it is.',
    mistake: comparing(
      (typed, name) => typed === name,
      (typed, password) => typed.toLowerCase() === password.toLowerCase(),
    ),
  },
  'that trims passwords': {
    found: 'A wrong password lets nobody in, however near it is.',
    mistake: comparing(
      (typed, name) => typed === name,
      (typed, password) => typed.trim() === password,
    ),
  },
  'whose passwords end at NUL': {
    found: 'A wrong password lets nobody in, however near it is.',
    mistake: comparing(
      (typed, name) => typed === name,
      (typed, password) => typed.split('\0')[0] === password,
    ),
  },
  'that binds with an empty password': {
    found: 'An empty password lets nobody in.',
    mistake: comparing(
      (typed, name) => typed === name,
      (typed, password) => typed === '' || typed === password,
    ),
  },
  'whose names are patterns': {
    found: 'A name that nobody has lets nobody in, whatever is in it.',
    mistake: comparing((typed, name) => typed === '*' || typed === name),
  },
  'that throws for a name it does not know': {
    found: 'A name that nobody has lets nobody in, whatever is in it.',
    mistake: backend => ({
      async authenticate({ username = '', password = '' }) {
        if (backend.accounts.get(username)!.password !== password) return null
        return backend.load(username)
      },
    }),
  },
  'that looks for the password alone': {
    found: "Somebody else's password lets nobody in.",
    mistake: backend => ({
      async authenticate({ username = '', password }) {
        const isThere = backend.accounts.has(username)
        const isRight = [...backend.accounts.values()].some(account => account.password === password)
        return isThere && isRight ? backend.load(username) : null
      },
    }),
  },
  'that takes a field that is missing for right': {
    found: 'Credentials without a name, without a password or of other fields alone let nobody in.',
    mistake: backend => ({
      async authenticate({ username = '', password }: Credentials) {
        const account = backend.accounts.get(username)
        return account && (password ?? account.password) === account.password ? backend.load(username) : null
      },
    }),
  },
  'that assigns every field of the credentials': {
    found: 'Fields that it does not know make no difference.',
    mistake: backend => ({
      async authenticate(given, ctx) {
        const user = await backend.authenticate(given, ctx)
        return user && { ...user, ...('isStaff' in given && { isStaff: true }) }
      },
    }),
  },
  'that throws for a long password': {
    found: 'A password longer than any may be lets nobody in, and is no error.',
    mistake: backend => ({
      async authenticate(given, ctx) {
        if (given.password && given.password.length > 4096) throw new Error('too long')
        return backend.authenticate(given, ctx)
      },
    }),
  },
  'that looks at 72 bytes of a password': {
    found: 'Passwords that share their first 72 bytes are different.',
    mistake: comparing(
      (typed, name) => typed === name,
      (typed, password) => typed.slice(0, 72) === password.slice(0, 72),
    ),
  },
  'that makes a user of the name as it was typed': {
    found: 'A name that looks like another is that very user, or nobody.',
    mistake: backend => ({
      async authenticate({ username = '', password }) {
        for (const [id, account] of backend.accounts) {
          if (id.toLowerCase() === username.toLowerCase() && account.password === password)
            return userOf('whole', username)
        }
        return null
      },
    }),
  },
  'that asks a collation without case and accents': {
    found: 'Whoever may be called nearly like somebody is never taken for them.',
    mistake: backend => ({
      async authenticate({ username = '', password }) {
        // The database answers the first row of several that it thinks equal; the password is looked up by another query.
        const id = [...backend.accounts.keys()].find(name => base.compare(name, username) === 0)
        return id && backend.accounts.get(username)?.password === password ? backend.load(id) : null
      },
    }),
  },
  'whose logins share a variable': {
    found: 'Logins at once are answered each by its own user.',
    mistake: backend => {
      let current: Credentials = {}
      return {
        async authenticate(given, ctx) {
          current = given
          await soon()
          return backend.authenticate(current, ctx)
        },
      }
    },
  },
  'that remembers right passwords': {
    found: 'After a change the new password is right, and the old one wrong.',
    mistake: backend => {
      const right = new Set<string>()
      return {
        async authenticate(given, ctx) {
          const pair = JSON.stringify([given.username, given.password])
          const user = right.has(pair) ? await backend.load(given.username!) : await backend.authenticate(given, ctx)
          if (user) right.add(pair)
          return user
        },
      }
    },
  },
  'that lets people in who were locked out': {
    found: 'Somebody who was locked out is answered as inactive, or not at all.',
    mistake: backend => ({
      async authenticate(given, ctx) {
        const user = await backend.authenticate(given, ctx)
        return user && { ...user, isActive: true }
      },
    }),
  },
  'that takes any password of somebody who was locked out': {
    found: 'A wrong password of somebody who was locked out lets nobody in.',
    mistake: backend => ({
      async authenticate(given, ctx) {
        const { username = '' } = given
        return backend.accounts.get(username)?.isActive === false
          ? backend.load(username)
          : backend.authenticate(given, ctx)
      },
    }),
  },
  'that never forgets': {
    found: 'Somebody who was taken away is let in no more.',
    mistake: backend => {
      const ever = new Map<string, AuthenticatedUser>()
      return {
        async authenticate(given, ctx) {
          const pair = JSON.stringify([given.username, given.password])
          const user = ever.get(pair) ?? (await backend.authenticate(given, ctx))
          if (user) ever.set(pair, user)
          return user
        },
      }
    },
  },
  'that identifies nobody': {
    found: 'identify answers somebody by the name that a proxy vouches for.',
    mistake: () => ({ identify: async () => null }),
  },
  'that identifies by a user without an id': {
    found: 'identify answers a whole user or null, whatever is in the name.',
    mistake: backend => ({ identify: async name => (await backend.load(name)) ?? userOf('whole', '') }),
  },
  'that identifies one at a time': {
    found: 'identify takes nobody for somebody else.',
    mistake: backend => {
      let asked = ''
      return {
        async identify(name) {
          asked = name
          await soon()
          return backend.load(asked)
        },
      }
    },
  },
  'that identifies people whom load does not know': {
    found: 'Whoever was identified is there at the next request.',
    mistake: backend => ({ load: async id => (backend.accounts.has(id) ? null : backend.load(id)) }),
  },
  'whose stamp is the password': {
    found: 'A stamp is neither the password nor a plain digest of it.',
    mistake: stamping(({ password }) => `1:${password}`),
  },
  'whose stamp is a digest of the password': {
    found: 'A stamp is neither the password nor a plain digest of it.',
    mistake: stamping(({ password }) => createHash('sha256').update(password).digest('hex')),
  },
  'whose stamp is new each time': {
    found: 'A stamp stays from one request to the next.',
    mistake: () => {
      let count = 0
      return { load: async id => userOf('whole', id, { stamp: String(count++) }) }
    },
  },
  'whose stamp is of the last login': {
    found: 'A login, and one that fails, leave the stamp: no session ends by it.',
    mistake: backend => ({
      async authenticate(given, ctx) {
        const user = await backend.authenticate(given, ctx)
        if (user) backend.accounts.get(user.id)!.stamp += '.'
        return user && backend.load(user.id)
      },
    }),
  },
  'whose stamp counts failed logins': {
    found: 'A login, and one that fails, leave the stamp: no session ends by it.',
    mistake: backend => ({
      async authenticate(given, ctx) {
        const user = await backend.authenticate(given, ctx)
        if (!user && given.username && backend.accounts.has(given.username))
          backend.accounts.get(given.username)!.stamp += '.'
        return user
      },
    }),
  },
  'whose stamp never changes': {
    found: 'Another password makes another stamp, and leaves the stamps of others.',
    mistake: stamping(() => ''),
  },
  'whose stamp is of the password alone': {
    found: 'The password of before does not bring the stamp of before back.',
    mistake: stamping(({ password }) => createHash('sha256').update(`salt ${password}`).digest('hex')),
  },
  'that loads a user anew when their password has been found right': {
    found: 'A login with the password of before never carries the stamp of after, however close to the change it is.',
    mistake: backend => ({
      async authenticate(given, ctx) {
        const user = await backend.authenticate(given, ctx)
        await soon()
        return user && backend.load(user.id)
      },
    }),
  },
  'whose endSessions answers the stamp of before': {
    found: 'endSessions answers the stamp that load shows from then on.',
    mistake: backend => ({
      async endSessions(id) {
        const stamp = backend.accounts.get(id)?.stamp ?? null
        await backend.endSessions(id)
        return stamp
      },
    }),
  },
  'whose endSessions has two stamps in turn': {
    found: 'endSessions makes a stamp that never was, each time.',
    mistake: backend => ({
      async endSessions(id) {
        const account = backend.accounts.get(id)
        if (!account) return null
        account.stamp = account.stamp === 'even' ? 'odd' : 'even'
        return account.stamp
      },
    }),
  },
  'whose endSessions reads, waits and writes': {
    found: 'endSessions calls at once answer each a stamp of its own, and the last of them holds.',
    mistake: backend => ({
      async endSessions(id) {
        const account = backend.accounts.get(id)
        if (!account) return null
        const next = `${account.stamp}+`
        await soon()
        account.stamp = next
        return next
      },
    }),
  },
  'whose endSessions answers what it reads afterwards': {
    found: 'endSessions calls at once answer each a stamp of its own, and the last of them holds.',
    mistake: backend => ({
      async endSessions(id) {
        await backend.endSessions(id)
        await soon()
        return backend.accounts.get(id)?.stamp ?? null
      },
    }),
  },
  'whose endSessions ends everybody': {
    found: 'endSessions leaves the stamps of others.',
    mistake: backend => ({
      async endSessions(id) {
        for (const other of backend.accounts.keys()) if (other !== id) await backend.endSessions(other)
        return backend.endSessions(id)
      },
    }),
  },
  'whose endSessions throws for nobody': {
    found: 'endSessions answers null for ids that nobody has, whatever is in them.',
    mistake: backend => ({
      async endSessions(id) {
        backend.accounts.get(id)!.stamp += '+'
        return backend.accounts.get(id)!.stamp
      },
    }),
  },
  'whose endSessions makes a stamp for nobody': {
    found: 'endSessions answers null for ids that nobody has, whatever is in them.',
    mistake: backend => ({ endSessions: async id => (await backend.endSessions(id)) ?? 'new' }),
  },
  'whose endSessions locks people out': {
    found: 'endSessions leaves somebody who they are, and able to log in.',
    mistake: backend => ({
      async endSessions(id) {
        const account = backend.accounts.get(id)
        if (account) account.password = ''
        return backend.endSessions(id)
      },
    }),
  },
}

/** A directory that is right but for one mistake. */
export function brokenSetup(mistake: Break): UserBackendSetup {
  const whole = wholeDirectory() as Whole
  const setup = directorySetup(whole)
  return { ...setup, backend: { ...whole, ...mistake({ ...whole }) } }
}

type Snapshots = Required<Pick<UserBackend, 'toSession' | 'fromSession'>>
type BreakSnapshots = (backend: Snapshots) => Partial<UserBackend>

/** The same of backends whose users the session carries. */
export const SNAPSHOT_MISTAKES: Record<string, { found: string; mistake: BreakSnapshots }> = {
  'without fromSession': {
    found: 'fromSession comes with toSession.',
    mistake: () => ({ fromSession: undefined }) as unknown as Partial<UserBackend>,
  },
  'that forgets the stamp': {
    found: 'A snapshot that went through JSON is the same user again.',
    mistake: ({ toSession }) => ({
      toSession(user) {
        const { stamp: _, ...rest } = toSession(user)
        return rest
      },
    }),
  },
  'whose snapshot holds what JSON changes': {
    found: 'A snapshot is a plain object that JSON does not change.',
    mistake: ({ toSession }) => ({ toSession: user => ({ ...toSession(user), email: undefined }) }),
  },
  'whose snapshots grow': {
    found: 'A snapshot made of a user from a snapshot is the same.',
    mistake: ({ toSession, fromSession }) => {
      let times = 0
      return {
        toSession: user => ({ ...toSession(user), times: times++ }),
        fromSession: ({ times: _, ...rest }) => fromSession(rest),
      }
    },
  },
  'whose snapshot holds a hash': {
    found: 'A snapshot holds neither the password nor what it is kept as.',
    mistake: ({ toSession }) => ({ toSession: user => ({ ...toSession(user), hash: '{SSHA}c2FsdA==' }) }),
  },
  'whose fromSession throws': {
    found: 'fromSession answers null for what describes nobody, and does not throw.',
    mistake: ({ fromSession }) => ({
      fromSession: snapshot => (snapshot.id.length > 0 ? fromSession(snapshot) : null),
    }),
  },
  'whose fromSession takes anybody': {
    found: 'fromSession answers null for what describes nobody, and does not throw.',
    mistake: () => ({ fromSession: snapshot => userOf('ldap', String(snapshot?.id ?? 'guest')) }),
  },
  "that takes the backend's name from the snapshot": {
    found: 'fromSession answers a whole user or null for a snapshot that was changed, and none of another backend.',
    mistake: ({ fromSession }) => ({
      fromSession(snapshot) {
        const { backend = 'ldap', ...rest } = snapshot ?? {}
        const user = fromSession(rest)
        return user && userOf(String(backend), user.id)
      },
    }),
  },
}

/** A detached backend without `load` that is right but for one mistake. */
export function brokenSnapshotSetup(mistake: BreakSnapshots): UserBackendSetup {
  const people = new Map<string, string>()
  const right = detachedUsers({
    name: 'ldap',
    authenticate: async ({ username = '', password }) =>
      people.get(username) === password ? { id: username, stamp: `of ${username}` } : null,
  })
  return {
    backend: { ...right, ...mistake(right as Snapshots) },
    async add({ username, password }) {
      people.set(username, password)
      return username
    },
  }
}

import test, { type ExecutionContext } from 'ava'
import { type DjangoUsers, djangoUsers } from '../../lib/django/users.ts'
import { DATABASES, type DatabaseName, newDatabase } from '../database/servers.ts'
import { type Django, startDjango } from '../servers/django.ts'
import { dump } from './users/dump.ts'

const PASSWORD = 'pässwörd☃ of nobody else'
const FORMER_KEYS = ['the key of before', 'the key before that']
const EDITORS = { editors: ['openings.publish_opening', 'openings.change_opening'] }
const READERS = { readers: ['openings.view_opening'] }

/** What people are, by the names that they have. */
const PEOPLE = {
  ada: {
    permissions: ['openings.view_opening', 'auth.view_group'],
    groups: { ...EDITORS, ...READERS },
    is_staff: true,
  },
  zoë: { groups: EDITORS },
  nobody: {},
  boss: { is_superuser: true, is_staff: true },
  gone: { permissions: ['openings.view_opening'], groups: EDITORS, is_active: false },
  'gone boss': { is_superuser: true, is_active: false },
}

/** What Django says of everybody: `asked` are permissions. */
const FACTS = `
from django.contrib.auth.models import Permission
from django.utils.crypto import salted_hmac
asked = [f'{p.content_type.app_label}.{p.codename}' for p in Permission.objects.select_related('content_type')]
asked += ['openings.Publish_opening', 'openings.publish_openin', 'publish_opening', 'openings.', 'nowhere.view_opening', '__proto__', 'constructor']
auth_hash = lambda user, key: salted_hmac(
    'django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash', user.password, secret=key, algorithm='sha256'
).hexdigest()
moment = lambda at: None if at is None else int(at.timestamp() * 1000)
answer({
    'asked': asked,
    'people': [{
        'id': str(user.pk),
        'name': user.get_username(),
        'hashes': [user.get_session_auth_hash(), *(auth_hash(user, key) for key in given)],
        'has': [name for name in asked if user.has_perm(name)],
        'all': sorted(user.get_all_permissions()),
        'groups': sorted(group.name for group in user.groups.all()),
        'flags': [user.is_active, user.is_staff, user.is_superuser],
        'joined': moment(getattr(user, 'date_joined', None)),
        'login': moment(user.last_login),
    } for user in User.objects.order_by('pk')],
})
`

interface Facts {
  asked: string[]
  people: {
    id: string
    name: string
    /** By its key, and by those of before. */
    hashes: string[]
    has: string[]
    all: string[]
    groups: string[]
    flags: boolean[]
    joined: number | null
    login: number | null
  }[]
}

/** Users of `auth.User`, or of a model with a UUID and an e-mail address for a name. */
const MODELS = {
  'auth.User': { table: 'auth_user', settings: {}, options: {}, login: (name: string) => name },
  'members.Member': {
    table: 'members_member',
    settings: { AUTH_USER_MODEL: 'members.Member' },
    options: {
      model: 'members.Member',
      idType: 'uuid',
      columns: { username: 'email', firstName: null, lastName: null, dateJoined: null },
    },
    login: (name: string) => `${name.replace(' ', '.')}@example.org`,
  },
} as const

/** In an hour that a time zone has twice. */
const NOW = Date.UTC(2026, 9, 25, 1, 30, 0, 7)

interface Site {
  site: Django
  table: string
  users: DjangoUsers
  /** The same with `updateLastLogin`, at that moment. */
  noting: DjangoUsers
  ids: Record<string, string>
  login(name: string): string
}

async function started(t: ExecutionContext, name: DatabaseName, model: keyof typeof MODELS): Promise<Site> {
  const { table, settings, options, login } = MODELS[model]
  const site = await startDjango(t, {
    database: await newDatabase(t, name),
    // Its own time zone is not the database's.
    settings: { QUICK_PASSWORDS: true, TIME_ZONE: 'Asia/Tokyo', ...settings },
  })
  const made = await site.people(
    Object.entries(PEOPLE).map(([one, fields]) => ({ name: login(one), password: PASSWORD, ...fields })),
  )
  const ids = Object.fromEntries(Object.keys(PEOPLE).map(one => [one, String(made[login(one)])]))
  const [knex, { secretKey }] = [site.database.open(), site]
  const users = djangoUsers(knex, { secretKey, secretKeyFallbacks: FORMER_KEYS, ...options })
  const noting = djangoUsers(knex, { secretKey, updateLastLogin: true, now: () => NOW, ...options })
  return { site, table, users, noting, ids, login }
}

// Migrating takes seconds on servers, where test/django/users/ids.test.ts has the ids of other models.
for (const [name, model] of [
  ...DATABASES.map(one => [one, 'auth.User'] as const),
  ['sqlite', 'members.Member'] as const,
]) {
  test(`X8: a live Django on ${name}, ${model}: its people are who it says, may do what it says, and nothing of it is changed but a last login.`, async t => {
    const live = await started(t, name, model)
    const { site, users, ids, login } = live
    const knex = site.database.open()
    await site.run(
      `
        from django.contrib.auth.models import update_last_login
        update_last_login(None, User.objects.get(pk=given))`,
      ids.ada,
    )
    const before = await dump(knex)

    const { asked, people } = (await site.run(FACTS, FORMER_KEYS)) as Facts
    const loaded = await users.loadMany(people.map(({ id }) => id))
    for (const [index, said] of people.entries()) {
      const user = loaded[index]!
      t.is(user.id, said.id)
      t.is(user.username, said.name)
      t.deepEqual([user.stamp, ...user.formerStamps], said.hashes)
      t.deepEqual(
        asked.filter(permission => user.hasPermission(permission)),
        said.has,
        said.name,
      )
      if (!user.isSuperuser) t.deepEqual([...user.permissions].sort(), said.all)
      t.deepEqual([...user.groups].sort(), user.isActive ? said.groups : [])
      t.deepEqual([user.isActive, user.isStaff, user.isSuperuser], said.flags)
      t.is(user.dateJoined?.getTime() ?? null, said.joined)
      t.is(user.lastLogin?.getTime() ?? null, said.login)
    }
    t.truthy(loaded.find(user => user?.id === ids.ada)?.lastLogin)
    t.true(people.some(({ has }) => has.length > 0 && has.length < 5))

    // Everything that the backend can do.
    for (const [who, id] of Object.entries(ids)) {
      const user = await users.authenticate({ username: login(who), password: PASSWORD })
      t.is(user?.id ?? null, who.startsWith('gone') ? null : id)
      t.is(await users.authenticate({ username: login(who), password: `${PASSWORD}!` }), null)
      t.is((await users.identify(login(who)))?.id, id)
      t.is((await users.find({ id }))?.username, login(who))
    }
    t.is(await users.authenticate({ username: 'somebody@example.org', password: PASSWORD }), null)
    t.deepEqual(await dump(knex), before)

    await notesLogins(t, live)
  })
}

/** With `updateLastLogin` a login is what Django reads as the last one, and nothing else changes. */
async function notesLogins(t: ExecutionContext, { site, table, users, ids, login, noting }: Site): Promise<void> {
  const knex = site.database.open()
  const before = await dump(knex)
  t.is(await noting.authenticate({ username: login('nobody'), password: 'wrong' }), null)
  t.is(await noting.authenticate({ username: login('gone'), password: PASSWORD }), null)
  t.deepEqual(await dump(knex), before)
  t.is((await noting.authenticate({ username: login('nobody'), password: PASSWORD }))?.lastLogin, null)
  const { nobody } = ids
  const read = `
    user = User.objects.get(pk=given)
    answer([user.last_login.timestamp() * 1000, User.objects.filter(last_login=user.last_login).count()])`
  t.deepEqual(await site.run(read, nobody), [NOW, 1])
  t.is((await users.load(nobody!))?.lastLogin?.getTime(), NOW)
  const { name } = site.database
  const id = name === 'sqlite' ? nobody!.replaceAll('-', '') : nobody!
  await knex(table).where({ id }).update({ last_login: null })
  t.deepEqual(await dump(knex), before)
}

test('R2: what is changed in Django holds at the next load: permissions, groups, activity, password.', async t => {
  const { site, users, ids } = await started(t, 'sqlite', 'auth.User')
  const ada = async () => (await users.load(ids.ada!))!
  const { stamp } = await ada()
  const change = (python: string) =>
    site.run(`from django.contrib.auth.models import Group\nada = User.objects.get(pk=given)\n${python}`, ids.ada)
  t.true((await ada()).hasPermission('auth.view_group'))
  await change('ada.user_permissions.clear()')
  t.false((await ada()).hasPermission('auth.view_group'))
  t.true((await ada()).hasPermission('openings.publish_opening'))
  await change("Group.objects.get(name='editors').permissions.clear()")
  t.false((await ada()).hasPermission('openings.publish_opening'))
  t.true((await ada()).groups.has('editors'))
  await change("ada.groups.remove(Group.objects.get(name='editors'))")
  t.deepEqual([...(await ada()).groups], ['readers'])
  await change('ada.is_superuser = True; ada.save()')
  t.true((await ada()).hasPermission('auth.delete_user'))
  t.is((await ada()).stamp, stamp)
  await change("ada.set_password('another one'); ada.save()")
  t.not((await ada()).stamp, stamp)
  t.is(await users.authenticate({ username: 'ada', password: PASSWORD }), null)
  t.is((await users.authenticate({ username: 'ada', password: 'another one' }))?.stamp, (await ada()).stamp)
  await change('ada.is_active = False; ada.save()')
  t.false((await ada()).isActive)
  t.false((await ada()).hasPermission('auth.delete_user'))
  await change('ada.delete()')
  t.is(await users.load(ids.ada!), null)
})

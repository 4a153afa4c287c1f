import { retried } from '../../database/conflicts.ts'
import { UserExists } from '../../errors.ts'
import { checkPermissionName } from '../../users/sql/names.ts'
import { type SqlUsers, sqlUsers } from '../../users/sql/users.ts'
import { type AddCommand, examples, newCommand, type Run, type UsersOptions, withUsers } from '../command.ts'
import { openMigrated } from '../database.ts'
import { EXIT, notFound } from '../failure.ts'
import { oneLine } from '../output.ts'
import { labelOf, userJson } from '../people.ts'
import { askNewPassword } from '../prompt.ts'

interface CreateOptions extends UsersOptions {
  readonly email?: string | undefined
  readonly staff?: true | undefined
  readonly superuser?: true | undefined
  readonly permission?: readonly string[] | undefined
  readonly group?: readonly string[] | undefined
  /** False by `--no-password`. */
  readonly password: boolean
}

const run: Run<[username: string], CreateOptions> = async ({ output, connections }, options, username) => {
  const { email = null, staff = false, superuser = false, permission = [], group = [], backend: name } = options
  const { knex } = await openMigrated(connections, options.database, 'users')
  await checkBeforeAsking(sqlUsers(knex, { name }), options, username)
  const password = options.password ? await askNewPassword() : null
  const user = await retried(() =>
    knex.transaction(async trx => {
      const people = sqlUsers(trx, { name })
      const { id } = await people.create({ username, email, password, isStaff: staff, isSuperuser: superuser })
      for (const one of permission) await people.grant(id, one)
      for (const one of group) await people.groups.add(one, id)
      return (await people.load(id))!
    }),
  )
  output.result({ user: { ...userJson(user), groups: [...new Set(group)].sort() } }, () => [
    `${labelOf(user)} was made.`,
  ])
  return EXIT.done
}

/** What can be refused before anybody types a password is refused then. */
async function checkBeforeAsking(
  people: SqlUsers,
  { email, permission = [], group = [] }: CreateOptions,
  username: string,
) {
  if (await people.find({ username })) throw new UserExists('username')
  if (email !== undefined && (await people.find({ email }))) throw new UserExists('email')
  for (const one of permission) checkPermissionName(one)
  const groups = new Set((await people.groups.list()).map(one => one.name))
  const unknown = group.find(one => !groups.has(one))
  if (unknown !== undefined) {
    const there = groups.size > 0 ? `There are: ${[...groups].map(oneLine).join(', ')}.` : 'There is none yet.'
    throw notFound(`There is no group '${oneLine(unknown)}'. ${there}`)
  }
}

/** `create-user`: makes a user in the database. */
export const addCreateUser: AddCommand = (program, carryOut) => {
  const collected = (value: string, before: readonly string[] = []) => [...before, value]
  withUsers(
    newCommand(program, 'create-user')
      .summary('make a user')
      .description(
        'Makes a user. The password is asked for twice on a terminal, or read as one line from stdin; never taken from arguments or the environment.',
      )
      .argument('<name>', 'what they log in by')
      .option('--email <address>', 'another name to log in by')
      .option('--staff', 'mark them as staff')
      .option('--superuser', 'give them every permission')
      .option('--permission <permission>', 'give them a permission (can be repeated)', collected)
      .option('--group <group>', 'put them into a group (can be repeated)', collected)
      .option('--no-password', 'nobody logs in as them by password'),
  )
    .addHelpText(
      'after',
      examples(
        'koa-strata create-user alice --email alice@example.org --staff',
        'pass show site/bob | koa-strata create-user bob --group editors',
      ),
    )
    .action(carryOut(run))
}

import { type AddCommand, examples, newCommand, type Run, type UsersOptions, withUsers } from '../command.ts'
import { EXIT } from '../failure.ts'
import { labelOf, openUsers, userJson, userNamed } from '../people.ts'

const run: Run<[name: string], UsersOptions> = async ({ output, connections }, options, name) => {
  const people = await openUsers(connections, options)
  const user = await userNamed(people, name)
  await people.deactivate(user.id)
  output.result({ user: { ...userJson(user), isActive: false, permissions: [] } }, () => [
    `${labelOf(user)} is locked out; all their sessions have ended.`,
  ])
  return EXIT.done
}

/** `deactivate`: locks a user of the database out. */
export const addDeactivate: AddCommand = (program, carryOut) => {
  withUsers(
    newCommand(program, 'deactivate')
      .summary('lock a user out, which ends their sessions')
      .description('Locks a user out and ends all their sessions. The record stays, with its name and its permissions.')
      .argument('<user>', 'name, e-mail address or key (sql:12)'),
  )
    .addHelpText('after', examples('koa-strata deactivate alice@example.org'))
    .action(carryOut(run))
}

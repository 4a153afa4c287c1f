import { type AddCommand, examples, newCommand, type Run, type UsersOptions, withUsers } from '../command.ts'
import { EXIT } from '../failure.ts'
import { labelOf, openUsers, userJson, userNamed } from '../people.ts'
import { askNewPassword } from '../prompt.ts'

const run: Run<[name: string], UsersOptions> = async ({ output, connections }, options, name) => {
  const people = await openUsers(connections, options)
  const user = await userNamed(people, name)
  await people.setPassword(user.id, await askNewPassword())
  output.result({ user: userJson(user) }, () => [`${labelOf(user)} has a new password; all their sessions have ended.`])
  return EXIT.done
}

/** `set-password`: gives a user of the database a new password. */
export const addSetPassword: AddCommand = (program, carryOut) => {
  withUsers(
    newCommand(program, 'set-password')
      .summary('give a user a new password, which ends their sessions')
      .description(
        'Gives a user a new password, which ends all their sessions. It is asked for twice on a terminal, or read as one line from stdin; never ' +
          'taken from arguments or the environment.',
      )
      .argument('<user>', 'name, e-mail address or key (sql:12)'),
  )
    .addHelpText(
      'after',
      examples('koa-strata set-password alice', 'pass show site/alice | koa-strata set-password alice'),
    )
    .action(carryOut(run))
}

import { migrate } from '../../database/migrations.ts'
import { OptionInvalid } from '../../errors.ts'
import { type AddCommand, type DatabaseOptions, examples, newCommand, type Run, withDatabase } from '../command.ts'
import { openDatabase } from '../database.ts'
import { EXIT, unreachable } from '../failure.ts'

interface MigrateOptions extends DatabaseOptions {
  /** False by `--no-users`. */
  readonly users: boolean
}

const run: Run<[], MigrateOptions> = async ({ output, connections }, { database, users }) => {
  const { knex, label } = await openDatabase(connections, database, { create: true })
  const ran = await migrate(knex, { users }).catch(error => {
    // What the message calls an option is the database itself.
    throw error instanceof OptionInvalid ? unreachable(`The database ${label}`, error) : error
  })
  output.result({ database: label, ran }, () => [
    ...ran.map(name => `ran ${name}`),
    ran.length > 0 ? `${label} is up to date now.` : `${label} is up to date.`,
  ])
  return EXIT.done
}

/** `migrate`: makes the library's tables, or brings them up to this version. */
export const addMigrate: AddCommand = (program, carryOut) => {
  withDatabase(
    newCommand(program, 'migrate')
      .summary("make the library's tables, or bring them up to date")
      .description(
        "Makes the library's own tables, or brings them up to this version, and touches no others. Can be run at every deployment, and waits " +
          'where another process is at it. An SQLite file is made where there is none.',
      )
      .option('--no-users', "make no tables of users: they are in the application's own"),
  )
    .addHelpText(
      'after',
      examples('koa-strata migrate --database sqlite:./app.db', 'DATABASE_URL=postgresql://… koa-strata migrate'),
    )
    .action(carryOut(run))
}

import { type AddCommand, examples, newCommand, type Run, withDatabase, withStore } from '../command.ts'
import type { Connections } from '../connections.ts'
import { openMigrated } from '../database.ts'
import { EXIT } from '../failure.ts'
import { Interrupt } from '../interrupt.ts'
import { counted } from '../output.ts'
import { Progress } from '../progress.ts'
import { type OpenStore, openStore, tableOf } from '../store.ts'
import { type SweepState, sweep } from '../sweep.ts'

interface ClearOptions {
  readonly database?: string | undefined
  readonly store?: string | undefined
  readonly storePrefix?: string | undefined
  readonly progress?: true | undefined
}

const run: Run<[], ClearOptions> = async ({ output, connections }, options) => {
  const open = await storeOf(connections, options)
  if (!open.store.sweep) {
    output.result({ removed: 0, left: 0, stopped: false }, () => [
      `${open.label} forgets expired sessions by itself: there is nothing to clear.`,
    ])
    return EXIT.done
  }
  const interrupt = new Interrupt()
  const progress = new Progress(output.isJson ? false : options.progress)
  let state: SweepState = { removed: 0, left: 0 }
  try {
    for await (state of sweep(open)) {
      if (interrupt.isWanted) break
      progress.at(`${counted(state.removed, 'session')} removed, ${state.left.toLocaleString('en')} left`)
    }
  } finally {
    progress.end()
    interrupt.dispose()
  }
  const { removed, left } = state
  const stopped = left > 0
  output.result({ removed, left, stopped }, () => [
    stopped
      ? `Stopped: ${counted(removed, 'expired session')} removed, ${left.toLocaleString('en')} left. Run it again to go on.`
      : `${counted(removed, 'expired session')} removed.`,
  ])
  return interrupt.exitCode && stopped ? interrupt.exitCode : EXIT.done
}

async function storeOf(connections: Connections, options: ClearOptions): Promise<OpenStore> {
  if (options.store !== undefined) return openStore(connections, options)
  return tableOf(await openMigrated(connections, options.database, 'sessions'))
}

/** `clear-sessions`: removes expired sessions. */
export const addClearSessions: AddCommand = (program, carryOut) => {
  withStore(
    withDatabase(
      newCommand(program, 'clear-sessions')
        .summary('remove expired sessions')
        .description(
          'Removes the sessions that have expired, a hundred at a time until none is left, beside a running site. A site does so by itself, a few at ' +
            'a time; this is for what has heaped up. Ctrl-C stops it between two parts. Redis and memcached forget by themselves.',
        )
        .option('--progress', 'say how far it is on stderr, when that is no terminal too (not with --json)'),
    ),
  )
    .addHelpText('after', examples('koa-strata clear-sessions', 'koa-strata clear-sessions --store file:./sessions'))
    .action(carryOut(run))
}

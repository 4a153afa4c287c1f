import { type AddCommand, examples, newCommand, type Run, withDatabase, withStore } from '../command.ts'
import { type Examined, examine } from '../doctor/examination.ts'
import type { Finding } from '../doctor/finding.ts'
import { EXIT, wrongUsage } from '../failure.ts'
import { coloured, counted, visible } from '../output.ts'

type DoctorOptions = Omit<Examined, 'url'> & { readonly url?: string | undefined }

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red', skipped: 'dim' } as const
const [STATUS_WIDTH, CHECK_WIDTH] = [9, 15]

const run: Run<[], DoctorOptions> = async ({ output, connections }, options) => {
  if (options.app === undefined && (options.writeCard !== undefined || options.compare))
    throw wrongUsage('--write-card and --compare need --app: a card says what an application is.')
  const findings = await examine(connections, { ...options, url: siteOf(options.url) })
  const count = (status: Finding['status']) => findings.filter(one => one.status === status).length
  const [problems, warnings, skipped] = [count('problem'), count('warning'), count('skipped')]
  output.result(
    { ok: problems === 0, problems, warnings, skipped, findings: findings.map(one => ({ ...one })) },
    () => [
      ...findings.flatMap(linesOf),
      `${counted(problems, 'problem')}, ${counted(warnings, 'warning')}, ${skipped} skipped.`,
    ],
  )
  return problems > 0 ? EXIT.failed : EXIT.done
}

function siteOf(given: string | undefined): URL | null {
  if (given === undefined) return null
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol))
    throw wrongUsage('--url must be the address of the site, as https://example.org/.')
  return new URL(given)
}

function linesOf({ check, status, message, advice }: Finding): string[] {
  const head = `${coloured(COLOURS[status], status.padEnd(STATUS_WIDTH))}${check.padEnd(CHECK_WIDTH)}`
  const indent = ' '.repeat(STATUS_WIDTH + CHECK_WIDTH)
  return [`${head}${visible(message)}`, ...(advice ? [`${indent}→ ${visible(advice)}`] : [])]
}

/** `doctor`: checks a deployment. */
export const addDoctor: AddCommand = (program, carryOut) => {
  withStore(
    withDatabase(
      newCommand(program, 'doctor')
        .summary('check a deployment')
        .description(
          'Checks what can be seen of a deployment: keys, cookies, proxy trust, the store (with a session that is stored and removed), the database, ' +
            'its migrations, settings and clock, hashes of passwords, expired sessions, https. Each is ok, a warning, a problem or skipped. Run it with ' +
            'the environment of the application. What another application must have in common with it, to share its login, goes by a card: ' +
            'fingerprints of the keys and of some users, the cookie, and a session to look for; nothing secret. A card is good for an hour.',
        )
        .option(
          '--app <path>',
          'a module that exports the Koa app, as default or app, and does not listen; it is imported',
        )
        .option('--keys-from <variable>', 'an environment variable with the keys, separated by commas')
        .option('--url <url>', 'the site: its page is fetched once')
        .option('--write-card <file>', 'write a card of the app, for another one to be compared with')
        .option(
          '--compare <card>',
          'compare the app with the card of one that shares its login; - for stdin; can be given several times',
          (card: string, others: readonly string[] = []) => [...others, card],
        ),
    ),
  )
    .addHelpText(
      'after',
      examples(
        'NODE_ENV=production koa-strata doctor --app ./app.js',
        'koa-strata doctor --database mysql://app@db/site --keys-from SESSION_KEYS',
        'koa-strata doctor --url https://example.org/login --json',
        'koa-strata doctor --app ./shop.js --write-card shop.json',
        'koa-strata doctor --app ./forum.js --compare shop.json',
      ),
    )
    .action(carryOut(run))
}

import { debuglog, styleText } from 'node:util'
import { type CommandFailed, EXIT, failureOf, reasonOf, withoutCredentials } from './failure.ts'

const debug = debuglog('koa-strata')
/** stdout as it is when the program starts: an application that is looked at loses it. */
const toStdout = process.stdout.write.bind(process.stdout)

/** What `--json` prints in place of text. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

/** Where a command says what it did: one JSON document or text for people on stdout, errors on stderr in the same manner. */
export class Output {
  readonly isJson: boolean

  constructor(isJson: boolean) {
    this.isJson = isJson
  }

  /** The outcome of a command, once. @param text the lines for people, asked for only where they are shown */
  result(json: Json, text: () => readonly string[]): void {
    toStdout(
      this.isJson
        ? `${JSON.stringify(json)}\n`
        : text()
            .map(line => `${line}\n`)
            .join(''),
    )
  }

  /** Why there is no outcome. Answers the exit code. */
  error(thrown: unknown): number {
    const failure = failureOf(thrown)
    if (!failure) debug('%s', withoutCredentials(thrown instanceof Error ? (thrown.stack ?? '') : String(thrown)))
    const { exitCode, code, message, fields } = failure ?? {
      exitCode: EXIT.failed,
      code: 'INTERNAL',
      message: `This should not have happened: ${reasonOf(thrown)} (NODE_DEBUG=koa-strata shows where.)`,
      fields: undefined,
    }
    const text = this.isJson
      ? JSON.stringify({ error: { code, message, ...(fields && { fields }) } })
      : [`koa-strata: ${visible(message)}`, ...fieldLines(fields)].join('\n')
    process.stderr.write(`${text}\n`)
    return exitCode
  }
}

/** Ends the process once all that was said is written, whatever is still open. */
export function endProcess(): void {
  toStdout('', () => process.exit())
}

function fieldLines(fields: CommandFailed['fields']): string[] {
  return Object.entries(fields ?? {}).map(([field, problem]) => `  ${field}: ${visible(problem)}`)
}

/** Text that somebody else chose, as it can be shown on a terminal: nothing in it moves the cursor or turns the direction. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, char =>
    char === '\n' ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`,
  )
}

/** The same, on one line. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', '\\u{a}')
}

/** A moment to the second, in UTC. */
export function moment(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** Columns of equal width. The last one is as long as it is. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, cell.length)), [])
  return rows.map(row => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!))).join('  '))
}

/** `1 session`, `2 sessions`, `12,000 sessions`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** Colour where stdout is a terminal that wants some. */
export function coloured(colour: 'green' | 'yellow' | 'red' | 'dim', text: string): string {
  return styleText(colour, text, { stream: process.stdout })
}

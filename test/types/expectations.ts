/** What the compiler says, or is to say, of one line: the code and the message, with its further lines indented as the compiler prints them. */
export interface Complaint {
  file: string
  /** Counted from 1. */
  line: number
  message: string
}

/**
 * The complaints that a case expects. Each stands in comments right above its line, `// error: TS2322: Type …`, and where the compiler's message
 * has further lines they follow with the compiler's own indentation, `//   Type …`.
 */
export function expectedIn(file: string, text: string): Complaint[] {
  const found: Complaint[] = []
  let waiting: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const [, first] = /^\s*\/\/ error: (.*)$/.exec(line) ?? []
    const [, further] = /^\s*\/\/ ( {2,}.*)$/.exec(line) ?? []
    if (first !== undefined) waiting.push(first)
    else if (further !== undefined && waiting.length > 0) waiting.push(`${waiting.pop()}\n${further}`)
    else {
      found.push(...waiting.map(message => ({ file, line: index + 1, message })))
      waiting = []
    }
  }
  return found
}

/** The complaints in what `tsc --pretty false` prints. @throws where it prints anything else, as when it could not start */
export function complaintsIn(output: string): Complaint[] {
  const found: Complaint[] = []
  for (const line of output.split(/\r?\n/)) {
    const [, file, number, message] = /^(\S.*)\((\d+),\d+\): error (TS\d+: .*)$/.exec(line) ?? []
    const last = found.at(-1)
    if (file !== undefined) found.push({ file: file.replaceAll('\\', '/'), line: Number(number), message: message! })
    else if (line.startsWith(' ') && last) last.message += `\n${line}`
    else if (line !== '') throw new Error(`The compiler says: ${line}`)
  }
  return found
}

/** Where the two differ, in words; empty where each expected complaint was made, word for word, and no other. */
export function differences(expected: readonly Complaint[], actual: readonly Complaint[]): string[] {
  const left = actual.map(asText)
  const missing = expected.map(asText).filter(complaint => {
    const at = left.indexOf(complaint)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  return [
    ...missing.map(text => `expected, and not said: ${text}`),
    ...left.map(text => `said, and not expected: ${text}`),
  ]
}

function asText({ file, line, message }: Complaint): string {
  return `${file}:${line} ${message}`
}

import { readFile, writeFile } from 'node:fs/promises'

/** A table whose columns are as wide as their widest cell, as the formatter has it. */
export function inMarkdown([heads, ...rows]: readonly (readonly string[])[]): string {
  const widths = heads!.map((_, column) => Math.max(3, ...[heads!, ...rows].map(cells => [...cells[column]!].length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell + ' '.repeat(widths[column]! - [...cell].length)).join(' | ')} |`
  return [line(heads!), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

/** A part of a page that is made by a program: what stands between two lines of it. */
export class MadePart {
  readonly #file: URL
  readonly #begin: string
  readonly #end: string

  /** @param by what makes it, as a path in this repository */
  constructor(file: URL, name: string, by: string) {
    this.#file = file
    this.#begin = `<!-- ${name}: made by ${by} -->\n`
    this.#end = `<!-- end of ${name} -->`
  }

  async read(): Promise<string> {
    return (await this.#parts())[1].trim()
  }

  async write(text: string): Promise<void> {
    const [before, , after] = await this.#parts()
    await writeFile(this.#file, `${before}${this.#begin}\n${text}\n\n${this.#end}${after}`)
  }

  async #parts(): Promise<[string, string, string]> {
    const text = await readFile(this.#file, 'utf8')
    const [begin, end] = [text.indexOf(this.#begin), text.indexOf(this.#end)]
    if (begin < 0 || end < begin)
      throw new Error(`${this.#file.pathname} lacks the line ${this.#begin.trim()}, or its end`)
    return [text.slice(0, begin), text.slice(begin + this.#begin.length, end), text.slice(end + this.#end.length)]
  }
}

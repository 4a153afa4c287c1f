/** The section of a Markdown page under the heading with this title, up to the next heading of its rank or higher; empty where there is none. */
export function section(page: string, title: string): string {
  const lines = page.split('\n')
  const start = lines.findIndex(line => /^#+ /.test(line) && line.replace(/^#+ /, '').trim() === title)
  if (start < 0) return ''
  const rank = lines[start]!.indexOf(' ')
  const rest = lines.slice(start + 1)
  const end = rest.findIndex(line => /^#+ /.test(line) && line.indexOf(' ') <= rank)
  return (end < 0 ? rest : rest.slice(0, end)).join('\n')
}

/** The cells of each row of the first table under a heading, without the head of the table. */
export function tableRows(page: string, title: string): string[][] {
  const lines = section(page, title).split('\n')
  const start = lines.findIndex(line => line.startsWith('|'))
  if (start < 0) return []
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end < 0 ? undefined : end).map(line =>
    line
      .trim()
      .replace(/^\|/, '')
      .replace(/\|$/, '')
      .split(/(?<!\\)\|/)
      .map(cell => cell.trim()),
  )
}

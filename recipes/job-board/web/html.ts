/** HTML that is safe to send: made by `html` alone. */
export class Html {
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  toString(): string {
    return this.#source
  }
}

/** What can stand in a template: null, undefined and false are nothing, lists are joined, all text is escaped. */
export type Insertable = Html | string | number | null | undefined | false | readonly Insertable[]

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as HTML, for content and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, char => ESCAPES[char]!)
}

/** A template of HTML: html`<p>${text}</p>`. */
export function html(strings: TemplateStringsArray, ...values: Insertable[]): Html {
  return new Html(strings.reduce((source, string, index) => source + render(values[index - 1]) + string))
}

/** Several pieces as one. */
export function join(pieces: readonly Html[]): Html {
  return new Html(pieces.map(String).join(''))
}

/** What somebody wrote in several lines: an empty line begins a paragraph. */
export function paragraphs(text: string): Html {
  const blocks = text.split(/\n{2,}/).filter(block => block.trim() !== '')
  return join(
    blocks.map(block => {
      const lines = block.split('\n').map(line => escapeHtml(line))
      return html`<p dir="auto">${new Html(lines.join('<br>'))}</p>`
    }),
  )
}

function render(value: Insertable): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Html) return value.toString()
  if (Array.isArray(value)) return value.map(render).join('')
  return escapeHtml(String(value))
}

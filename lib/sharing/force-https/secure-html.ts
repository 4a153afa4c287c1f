import { spellings, valueSpan } from './attribute-source.ts'
import { type Edit, httpsEdits } from './https-address.ts'
import { candidateAddresses } from './srcset.ts'
import { type SourceAttribute, StartTags } from './start-tags.ts'
import { type AddressKind, subResources } from './sub-resources.ts'

/** What a page must hold before it can be told whether it begins with a byte order mark. */
const LONGEST_MARK = 3

/** Whether a text may spell 'http:' anywhere, by character references or not. It is much faster to tell than what is markup. */
const MAY_SAY_HTTP = /h[\t\n\r]*t[\t\n\r]*t[\t\n\r]*p[\t\n\r]*[:&]|&(?:#(?!39;|x27;)|Tab;|NewLine;)/i

/** A page as `SecureHtml` has it, all at once. */
export function secureHtml(page: string): string {
  if (!MAY_SAY_HTTP.test(page)) return page
  const html = new SecureHtml()
  return html.write(page) + html.end()
}

/**
 * Has a page ask for its sub-resources over https. The page comes in pieces, as text or as bytes of a charset that extends ASCII, each byte one
 * character (Latin-1); what does not belong to a changed address comes out as it went in.
 */
export class SecureHtml {
  readonly #tags = new StartTags(tag => {
    for (const [attribute, kind] of subResources(tag))
      for (const edit of this.#editsOf(attribute, kind)) this.#edits.push(edit)
  })
  /** What has been read and not handed out, and where it begins in the page. */
  #held = ''
  #from = 0
  /** Where the parser began: behind a byte order mark. Null before that is known, -1 where the page is left alone. */
  #start: number | null = null
  #edits: Edit[] = []

  /** Reads another piece, and answers what is settled by now: all but a start tag that is not complete. */
  write(text: string): string {
    this.#held += text
    if (this.#start === null) {
      if (this.#held.length < LONGEST_MARK) return ''
      this.#start = startOf(this.#held)
      text = this.#held.slice(this.#start)
    }
    if (this.#start < 0) return this.#release(this.#end)
    this.#tags.write(text)
    const { unfinished } = this.#tags
    // The '<' may have gone out before it was known to begin a tag.
    return this.#release(unfinished === null ? this.#end : Math.max(this.#from, unfinished + this.#start))
  }

  /** The rest of the page. */
  end(): string {
    return this.#release(this.#end)
  }

  get #end(): number {
    return this.#from + this.#held.length
  }

  #editsOf({ name, value, start, end }: SourceAttribute, kind: AddressKind): Edit[] {
    const edits = editsOf(value, kind)
    if (edits.length === 0) return edits
    const at = start + this.#start!
    const source = this.#held.slice(at - this.#from, at - this.#from + end - start)
    const span = valueSpan(source, name)
    const starts = spellings(source.slice(span.start, span.end), edits.at(-1)!.end)
    const placed = (index: number) => at + span.start + starts[index]!
    return edits.map(edit => ({ start: placed(edit.start), end: placed(edit.end), text: edit.text }))
  }

  #release(upTo: number): string {
    if (upTo === this.#from) return ''
    const pieces = []
    let at = this.#from
    for (const { start, end, text } of this.#edits) {
      pieces.push(this.#held.slice(at - this.#from, start - this.#from), text)
      at = end
    }
    pieces.push(this.#held.slice(at - this.#from, upTo - this.#from))
    this.#held = this.#held.slice(upTo - this.#from)
    this.#from = upTo
    this.#edits = []
    return pieces.join('')
  }
}

function editsOf(value: string, kind: AddressKind): Edit[] {
  if (kind === 'url') return httpsEdits(value)
  return candidateAddresses(value).flatMap(({ start, end }) =>
    httpsEdits(value.slice(start, end)).map(edit => ({ ...edit, start: start + edit.start, end: start + edit.end })),
  )
}

/** A byte order mark wins over what a header says of the charset (Encoding Standard §6); one of UTF-16 says that this is not ASCII. */
function startOf(page: string): number {
  if (/^(?:\xfe\xff|\xff\xfe)/.test(page)) return -1
  return /^(?:\ufeff|\xef\xbb\xbf)?/.exec(page)![0].length
}

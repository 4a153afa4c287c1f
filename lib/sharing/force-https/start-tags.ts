import { html, InsertionMode, Parser, Token, Tokenizer } from 'parse5'
import { Outline, type OutlineTypes } from './outline.ts'

/** An attribute of a start tag; of several of one name only the first counts, as in browsers. */
export interface SourceAttribute {
  /** Its name, in lower case where it is HTML's; `xlink:href` as it is written. */
  readonly name: string
  /** What it says, its character references decoded. */
  readonly value: string
  /** Where it stands in the page, from its name to behind its value, in UTF-16 code units. */
  readonly start: number
  readonly end: number
}

/** A start tag, as the parser understood it. */
export interface StartTag {
  readonly name: string
  readonly namespace: html.NS
  /** In their order in the page. */
  readonly attributes: readonly SourceAttribute[]
}

/**
 * Finds the start tags of a page that comes in pieces, by the HTML standard's parser, tree construction included: which text is markup depends on the
 * elements that are open.
 */
export class StartTags {
  readonly #tokenizer: PageTokenizer

  /** @param found is called with each start tag, as soon as it is complete */
  constructor(found: (tag: StartTag) => void) {
    this.#tokenizer = new PageParser(found).tokenizer
  }

  /** Reads another piece of the page. */
  write(text: string): void {
    this.#tokenizer.write(text, false)
    this.#tokenizer.forget()
  }

  /** Where the start tag begins that is not complete yet, or null where there is none. */
  get unfinished(): number | null {
    return this.#tokenizer.unfinished
  }
}

/**
 * How many unclosed formatting elements (`<b>`, `<font>`) are opened again in each paragraph: beyond what pages have, the standard's parser takes
 * time by the square of the page.
 */
const MOST_REOPENED = 32

class PageParser extends Parser<OutlineTypes> {
  declare tokenizer: PageTokenizer
  readonly #outline: Outline
  readonly #found: (tag: StartTag) => void

  constructor(found: (tag: StartTag) => void) {
    const outline = new Outline()
    super({ sourceCodeLocationInfo: true, treeAdapter: outline })
    this.tokenizer = new PageTokenizer(this.options, this)
    this.#outline = outline
    this.#found = found
  }

  override onStartTag(token: Token.TagToken): void {
    super.onStartTag(token)
    const { latest } = this.#outline
    const element = latest?.attributes === token.attrs ? latest : null
    if (element === null && !this.#isSeenByNewerBrowsers(token)) return
    const { namespace } = element ?? { namespace: html.NS.HTML }
    this.#found({ name: token.tagName, namespace, attributes: token.attrs.map(attribute => placed(attribute, token)) })
  }

  /** The parser drops pictures in a <select>, as browsers did until 2025. */
  #isSeenByNewerBrowsers({ tagName }: Token.TagToken): boolean {
    const isInSelect = [InsertionMode.IN_SELECT, InsertionMode.IN_SELECT_IN_TABLE].includes(this.insertionMode)
    return isInSelect && (tagName === 'img' || tagName === 'source')
  }

  /** Text in a table is kept until the next tag, to be put before the table as a whole; a sample does. */
  override onWhitespaceCharacter(token: Token.CharacterToken): void {
    super.onWhitespaceCharacter(token)
    if (this.pendingCharacterTokens.length > 1) this.pendingCharacterTokens.length = 1
  }

  override _reconstructActiveFormattingElements(): void {
    const list = this.activeFormattingElements
    let entry = list.newest
    for (let count = 0; entry && 'element' in entry; count++) {
      const { older } = entry
      if (count >= MOST_REOPENED) list.removeEntry(entry)
      entry = older
    }
    super._reconstructActiveFormattingElements()
  }
}

function placed({ name, prefix, value }: Token.Attribute, token: Token.TagToken): SourceAttribute {
  const written = prefix ? `${prefix}:${name}` : name
  // Some names of SVG are changed to camel case.
  const { startOffset, endOffset } = token.location!.attrs![written] ?? token.location!.attrs![written.toLowerCase()]!
  return { name: written, value, start: startOffset, end: endOffset }
}

class PageTokenizer extends Tokenizer {
  get unfinished(): number | null {
    const token = this.currentToken
    return token?.type === Token.TokenType.START_TAG ? token.location!.startOffset : null
  }

  /** Lets go of the text or comment that is being read: it may go on for ever, and nobody asks what it says. */
  forget(): void {
    this.flushCurrentCharacterToken()
    if (this.currentToken?.type !== Token.TokenType.COMMENT) return
    this._flushRun('')
    this.currentToken.data = ''
    this.preprocessor.dropParsedChunk()
  }
}

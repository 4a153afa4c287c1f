import { html, type Token, type TreeAdapter, type TreeAdapterTypeMap } from 'parse5'

/** What is known of a node: for anything but an element, empty. */
export interface OutlineNode {
  readonly name: string
  readonly namespace: html.NS
  readonly attributes: Token.Attribute[]
}

export type OutlineTypes = TreeAdapterTypeMap<
  OutlineNode,
  OutlineNode,
  OutlineNode,
  OutlineNode,
  OutlineNode,
  OutlineNode,
  OutlineNode,
  OutlineNode,
  OutlineNode,
  OutlineNode
>

const NOTHING: OutlineNode = { name: '', namespace: html.NS.HTML, attributes: [] }

/**
 * A tree of which only the nodes are made that the parser asks for, and no two are joined. The parser knows by itself which elements are open, and
 * that is all it needs to read a page exactly as browsers do: memory grows with how deep elements are nested, not with the page.
 */
export class Outline implements TreeAdapter<OutlineTypes> {
  /** The element that was made last. */
  latest: OutlineNode | null = null
  /** In quirks mode a table does not close the paragraph before it. */
  #mode = html.DOCUMENT_MODE.NO_QUIRKS

  createElement(name: string, namespace: html.NS, attributes: Token.Attribute[]): OutlineNode {
    this.latest = { name, namespace, attributes }
    return this.latest
  }

  getTagName(element: OutlineNode): string {
    return element.name
  }

  getNamespaceURI(element: OutlineNode): html.NS {
    return element.namespace
  }

  getAttrList(element: OutlineNode): Token.Attribute[] {
    return element.attributes
  }

  setDocumentMode(_document: OutlineNode, mode: html.DOCUMENT_MODE): void {
    this.#mode = mode
  }

  getDocumentMode(): html.DOCUMENT_MODE {
    return this.#mode
  }

  createDocument(): OutlineNode {
    return NOTHING
  }

  createDocumentFragment(): OutlineNode {
    return NOTHING
  }

  createCommentNode(): OutlineNode {
    return NOTHING
  }

  createTextNode(): OutlineNode {
    return NOTHING
  }

  getTemplateContent(): OutlineNode {
    return NOTHING
  }

  getChildNodes(): OutlineNode[] {
    return []
  }

  getFirstChild(): null {
    return null
  }

  getParentNode(): null {
    return null
  }

  getNodeSourceCodeLocation(): null {
    return null
  }

  getCommentNodeContent(): string {
    return ''
  }

  getTextNodeContent(): string {
    return ''
  }

  getDocumentTypeNodeName(): string {
    return ''
  }

  getDocumentTypeNodePublicId(): string {
    return ''
  }

  getDocumentTypeNodeSystemId(): string {
    return ''
  }

  isElementNode(_node: OutlineNode): _node is OutlineNode {
    return true
  }

  isCommentNode(_node: OutlineNode): _node is OutlineNode {
    return false
  }

  isDocumentTypeNode(_node: OutlineNode): _node is OutlineNode {
    return false
  }

  isTextNode(_node: OutlineNode): _node is OutlineNode {
    return false
  }

  adoptAttributes(): void {}
  appendChild(): void {}
  detachNode(): void {}
  insertBefore(): void {}
  insertText(): void {}
  insertTextBefore(): void {}
  setDocumentType(): void {}
  setNodeSourceCodeLocation(): void {}
  setTemplateContent(): void {}
  updateNodeSourceCodeLocation(): void {}
}

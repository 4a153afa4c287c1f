import { html } from 'parse5'
import type { SourceAttribute, StartTag } from './start-tags.ts'

/** How an attribute names what a browser fetches: as one address, or as candidates to choose from. */
export type AddressKind = 'url' | 'srcset'

const URL = { src: 'url' } as const
const BACKGROUND = { background: 'url' } as const
const HREF = { href: 'url', 'xlink:href': 'url' } as const

type Attributes = Readonly<Record<string, AddressKind>>

/** The attributes of HTML (§4 and §15, Rendering) by which a browser fetches something for the page itself, without being asked. */
const HTML: ReadonlyMap<string, Attributes> = new Map<string, Attributes>([
  ['audio', URL],
  ['base', { href: 'url' }],
  ['body', BACKGROUND],
  ['embed', URL],
  ['frame', URL],
  ['iframe', URL],
  ['img', { src: 'url', srcset: 'srcset' }],
  ['input', URL],
  ['link', { href: 'url', imagesrcset: 'srcset' }],
  ['object', { data: 'url' }],
  ['script', URL],
  ['source', { src: 'url', srcset: 'srcset' }],
  ['table', BACKGROUND],
  ['tbody', BACKGROUND],
  ['td', BACKGROUND],
  ['tfoot', BACKGROUND],
  ['th', BACKGROUND],
  ['thead', BACKGROUND],
  ['tr', BACKGROUND],
  ['track', URL],
  ['video', { src: 'url', poster: 'url' }],
])

/** Those of SVG 2; of `href` and the older `xlink:href` browsers take either. */
const SVG: ReadonlyMap<string, Attributes> = new Map<string, Attributes>([
  ['feImage', HREF],
  ['image', HREF],
  ['script', HREF],
  ['use', HREF],
])

const BY_NAMESPACE: Readonly<Partial<Record<html.NS, typeof HTML>>> = { [html.NS.HTML]: HTML, [html.NS.SVG]: SVG }

/** The link types of which a browser fetches, or gets ready to fetch, what they name. Others, as `canonical` or `next`, name pages. */
const FETCHED_LINKS = new Set([
  'apple-touch-icon',
  'apple-touch-icon-precomposed',
  'apple-touch-startup-image',
  'compression-dictionary',
  'dns-prefetch',
  'icon',
  'manifest',
  'mask-icon',
  'modulepreload',
  'preconnect',
  'prefetch',
  'preload',
  'stylesheet',
])

/** The attributes of a start tag that name sub-resources, `<base href>` among them, and how. */
export function subResources(tag: StartTag): [SourceAttribute, AddressKind][] {
  const kinds = BY_NAMESPACE[tag.namespace]?.get(tag.name)
  if (!kinds || !isFetched(tag)) return []
  return tag.attributes.flatMap((attribute): [SourceAttribute, AddressKind][] =>
    Object.hasOwn(kinds, attribute.name) ? [[attribute, kinds[attribute.name]!]] : [],
  )
}

function isFetched(tag: StartTag): boolean {
  if (tag.name === 'input') return said(tag, 'type') === 'image'
  if (tag.name === 'link')
    return said(tag, 'rel')
      .split(/[\t\n\f\r ]+/)
      .some(type => FETCHED_LINKS.has(type))
  return true
}

function said(tag: StartTag, name: string): string {
  return tag.attributes.find(attribute => attribute.name === name)?.value.toLowerCase() ?? ''
}

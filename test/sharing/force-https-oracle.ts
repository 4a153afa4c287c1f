import { defaultTreeAdapter, html, parse, parseFragment, type DefaultTreeAdapterTypes as Tree } from 'parse5'

/** What a page asks for: the place of an attribute in the page, and what it says. */
interface Resource {
  start: number
  end: number
  value: string
  isSrcset: boolean
}

const PAGE = 'https://page.example/dir/page'

const HTML_ATTRIBUTES = (
  'img[src] img[srcset] script[src] source[src] source[srcset] video[src] video[poster] audio[src] iframe[src] frame[src] embed[src] ' +
  'object[data] track[src] base[href] body[background] table[background] thead[background] tbody[background] tfoot[background] ' +
  'tr[background] td[background] th[background]'
).split(' ')
const SVG_ATTRIBUTES = ['image', 'use', 'feImage', 'script'].flatMap(name => [`${name}[href]`, `${name}[xlink:href]`])
const LINKS = /(?:^|[\t\n\f\r ])(?:stylesheet|icon|preload)(?:$|[\t\n\f\r ])/i

/** What parse5, given the whole page at once, makes elements of: also those that a late <frameset> takes out of the tree again. */
function resourcesOf(page: string): Resource[] {
  const elements: Tree.Element[] = []
  const createElement: typeof defaultTreeAdapter.createElement = (...given) => {
    const element = defaultTreeAdapter.createElement(...given)
    elements.push(element)
    return element
  }
  const mark = page.startsWith('\xef\xbb\xbf') ? 3 : 0
  parse(page.slice(mark), { sourceCodeLocationInfo: true, treeAdapter: { ...defaultTreeAdapter, createElement } })
  const found = elements.flatMap(resourcesOfElement)
  const moved = found.map(one => ({ ...one, start: one.start + mark, end: one.end + mark }))
  return moved.sort((one, other) => one.start - other.start)
}

function resourcesOfElement({ tagName, namespaceURI, attrs, sourceCodeLocation }: Tree.Element): Resource[] {
  const said = (name: string) => attrs.find(attribute => attribute.name === name)?.value ?? ''
  return attrs.flatMap(({ name, prefix, value }) => {
    const full = prefix ? `${prefix}:${name}` : name
    const place = sourceCodeLocation?.attrs?.[full]
    const key = `${tagName}[${full}]`
    const isOne =
      namespaceURI === html.NS.SVG
        ? SVG_ATTRIBUTES.includes(key)
        : namespaceURI === html.NS.HTML &&
          (HTML_ATTRIBUTES.includes(key) ||
            (key === 'input[src]' && said('type').toLowerCase() === 'image') ||
            (/^link\[(?:href|imagesrcset)\]$/.test(key) && LINKS.test(said('rel'))))
    if (!isOne || !place) return []
    return [{ start: place.startOffset, end: place.endOffset, value, isSrcset: full.endsWith('srcset') }]
  })
}

/** What is wrong with `after` as the page `before` over https; null where nothing is. */
export function problemOf(before: string, after: string): string | null {
  if (/^(?:\xfe\xff|\xff\xfe)/.test(before)) return before === after ? null : 'a page in UTF-16 was changed'
  const [old, now] = [resourcesOf(before), resourcesOf(after)]
  if (old.length !== now.length) return `${old.length} sub-resources became ${now.length}`
  let [from, at] = [0, 0]
  for (const [index, one] of old.entries()) {
    const other = now[index]!
    if (before.slice(from, one.start) !== after.slice(at, other.start)) return `what stands before ${one.start} changed`
    const problem = one.isSrcset
      ? srcsetProblem(one.value, other.value)
      : (addressProblem(one.value, other.value) ??
        spliceProblem(before.slice(one.start, one.end), after.slice(other.start, other.end)))
    if (problem) return `${problem}: ${JSON.stringify(one.value)} became ${JSON.stringify(other.value)}`
    from = one.end
    at = other.end
  }
  return before.slice(from) === after.slice(at) ? null : 'the end changed'
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|(?:.+\.)?localhost\.?)$/

function addressProblem(before: string, after: string): string | null {
  const [old, now] = [before, after].map(address => (URL.canParse(address, PAGE) ? new URL(address, PAGE) : null))
  if (!old) return now ? 'what was no address became one' : null
  if (old.protocol !== 'http:' || LOOPBACK.test(old.hostname)) return before === after ? null : 'was to stay'
  const wanted = new URL(old.href.replace(/^http:/, 'https:'))
  return now?.href === wanted.href ? null : `should be ${wanted.href}`
}

/** Only an 's', up to two slashes and a port come or go. */
function spliceProblem(before: string, after: string): string | null {
  if (before === after) return null
  const [old, now] = behindWhatIsSame(before, after)
  if (!now.startsWith('s')) return 'more than an s came'
  const [rest, changed] = behindWhatIsSame(old, now.slice(1))
  const isSplice = ['', '/', '//'].some(
    slashes => changed.startsWith(slashes) && isWithoutPort(...behindWhatIsSame(rest, changed.slice(slashes.length))),
  )
  return isSplice ? null : 'more than a port went'
}

function behindWhatIsSame(before: string, after: string): [before: string, after: string] {
  let same = 0
  while (same < before.length && before[same] === after[same]) same++
  return [before.slice(same), after.slice(same)]
}

function isWithoutPort(before: string, after: string): boolean {
  if (before === after) return true
  const removed = decoded(before.slice(0, before.length - after.length)).replace(/[\t\n\r]/g, '')
  return before.endsWith(after) && /^:0*80$/.test(removed)
}

function decoded(source: string): string {
  const [element] = parseFragment(`<i title="${source}">`).childNodes
  return element && 'attrs' in element ? element.attrs[0]!.value : ''
}

function srcsetProblem(before: string, after: string): string | null {
  const [old, now] = [candidatesOf(before), candidatesOf(after)]
  if (old.length !== now.length) return `${old.length} candidates became ${now.length}`
  for (const [index, { address, rest }] of old.entries()) {
    if (rest !== now[index]!.rest) return 'what stands behind a candidate changed'
    const problem = addressProblem(address, now[index]!.address)
    if (problem) return problem
  }
  return null
}

/** The steps of "parse a srcset attribute" one by one, with what stands behind each address up to the next. */
function candidatesOf(srcset: string): { address: string; rest: string }[] {
  const found: { address: string; rest: string }[] = [{ address: '', rest: '' }]
  let state: 'gap' | 'address' | 'descriptors' | 'parentheses' = 'gap'
  for (const character of srcset) {
    const isBlank = /[\t\n\f\r ]/.test(character)
    if (state === 'gap' && !isBlank && character !== ',') {
      found.push({ address: '', rest: '' })
      state = 'address'
    }
    const latest = found.at(-1)!
    if (state === 'address' && isBlank) {
      const commas = /,*$/.exec(latest.address)![0]
      latest.address = latest.address.slice(0, latest.address.length - commas.length)
      latest.rest = commas
      state = commas ? 'gap' : 'descriptors'
    } else if (state === 'descriptors' && character === ',') state = 'gap'
    else if (state === 'descriptors' && character === '(') state = 'parentheses'
    else if (state === 'parentheses' && character === ')') state = 'descriptors'
    if (state === 'address') latest.address += character
    else latest.rest += character
  }
  const latest = found.at(-1)!
  if (state === 'address') {
    const commas = /,*$/.exec(latest.address)![0]
    latest.address = latest.address.slice(0, latest.address.length - commas.length)
    latest.rest += commas
  }
  return found
}

import fc from 'fast-check'

const one = (...texts: string[]) => fc.constantFrom(...texts)
const weighted = (...parts: [weight: number, texts: fc.Arbitrary<string>][]) =>
  fc.oneof(...parts.map(([weight, arbitrary]) => ({ weight, arbitrary })))
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map(texts => texts.join(''))
const several = (text: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(text, { maxLength }).map(texts => texts.join(''))

/** A letter of a scheme as a page may spell it. */
const spelt = (letter: string) => {
  const code = letter.charCodeAt(0)
  return weighted(
    [12, fc.constant(letter)],
    [2, fc.constant(letter.toUpperCase())],
    [
      1,
      one(
        `&#${code};`,
        `&#x${code.toString(16)};`,
        `&#0${code};`,
        `&#X${code.toString(16).toUpperCase()}`,
        `&#${code}`,
      ),
    ],
    [1, one(`\n${letter}`, `${letter}\t`, `&Tab;${letter}`, `${letter}&NewLine;`, `\r\n${letter}`, `${letter}\r`)],
  )
}
const colons = weighted([12, fc.constant(':')], [2, one('&colon;', '&#58;', '&#x3a', '\t:', ':\n', '&#58')])
const slashes = weighted(
  [14, fc.constant('//')],
  [3, one('', '/', '\\\\', '/\\', '///', '&sol;/', '/\t/', '\\/', '&#47;&bsol;')],
)
const http = joined(spelt('h'), spelt('t'), spelt('t'), spelt('p'), colons, slashes)
const hosts = one(
  'a.example',
  'h',
  '[2001:db8::1]',
  '10.0.0.1',
  'b\xfccher.example',
  'x&amp;y',
  '&copy;.example',
  'h&#46;example',
  '',
  'a b',
  '%41.example',
)
const loopback = one(
  'localhost',
  'LocalHost.',
  'app.localhost',
  '127.0.0.1',
  '127.1',
  '[::1]',
  '2130706433',
  'localhost&#46;',
)
const users = one('', '', '', '', 'u@', 'u:80@', 'a@b:@')
const ports = one('', '', '', ':80', ':080', ':8080', ':', ':443', '&colon;80', ':8\t0', ':8&#48;', ':80a', ':99999')
const paths = one(
  '',
  '/',
  '/x.png',
  '/?a=1&amp;b=2',
  '?q&copy=1',
  '#f',
  '/a,b',
  '\\x',
  '/http://c',
  '/x&amp',
  '/ü',
  ' ',
)
const addresses = weighted(
  [
    8,
    joined(one('', '', '', ' ', '\n', '&#1;', '\x00'), http, users, weighted([5, hosts], [1, loopback]), ports, paths),
  ],
  [
    3,
    one(
      '/x.png',
      '//h/x',
      'https://h/',
      'data:,http://x',
      'blob:http://x',
      'javascript:"http://x"',
      'httpx://h',
      '',
      '#',
      'x http://h',
      'HTTPS:h',
    ),
  ],
)
const candidates = several(
  joined(
    addresses,
    one('', ' 1x', ' 2x', ' 100w', ' (a, http://b) 3x', ',', ',,', '\t1x,', ' 1x ,', ' x(', ' 1x\r\n,'),
    one(', ', ',', ' ', '\n'),
  ),
  3,
)
const values = weighted(
  [6, addresses],
  [2, candidates],
  [1, one('stylesheet', 'ICON', 'image', 'canonical', 'http://h', 'Shortcut\ticon', 'text')],
)

const names = weighted(
  [9, one('src', 'srcset', 'href', 'SRC', 'data', 'poster', 'xlink:href', 'imagesrcset', 'background', 'rel', 'type')],
  [
    2,
    one(
      'action',
      'cite',
      'content',
      'data-src',
      'srcdoc',
      'alt',
      'style',
      'color',
      'encoding',
      '=src',
      'sr\x00c',
      'title',
      'constructor',
      '__proto__',
    ),
  ],
)
const attributes = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(names, values, one('"', '"', "'"), one('=', '=', ' = ', '\r\n=\n'))
      .map(([name, value, quote, equals]) => `${name}${equals}${quote}${value}${quote}`),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(names, values).map(([name, value]) => `${name}=${value.replace(/[\s"'=<>`]/g, '')}`),
  },
  {
    weight: 1,
    arbitrary: one(
      'alt',
      'src',
      'x="',
      "y='",
      '"',
      '/',
      '=',
      'rel=stylesheet',
      'rel="icon canonical"',
      'type=image',
      'encoding=text/html',
    ),
  },
)
const resources = one(
  'img',
  'img',
  'IMG',
  'image',
  'script',
  'link',
  'link',
  'input',
  'source',
  'video',
  'audio',
  'iframe',
  'embed',
  'object',
  'track',
  'base',
  'body',
  'td',
  'table',
  'frame',
  'use',
  'feImage',
)
const others = one(
  'a',
  'area',
  'form',
  'meta',
  'div',
  'p',
  'b',
  'i',
  'font',
  'template',
  'svg',
  'math',
  'mi',
  'annotation-xml',
  'foreignObject',
  'desc',
  'title',
  'style',
  'textarea',
  'noscript',
  'noframes',
  'xmp',
  'plaintext',
  'tr',
  'tbody',
  'caption',
  'li',
  'button',
  'html',
  'head',
  'frameset',
  'blockquote',
  'ul',
  'h1',
  'nobr',
  'applet',
  'mglyph',
)
const startTags = fc
  .tuple(
    weighted([3, resources], [2, others]),
    fc.array(attributes, { maxLength: 4 }),
    one('>', '>', '>', ' >', '/>', ' />', '', '\n>'),
    one(' ', ' ', '\n', '/', '\t'),
  )
  .map(([name, given, end, gap]) => `<${[name, ...given].join(gap)}${end}`)
const endTags = weighted([4, others], [1, resources], [1, one('svg', 'math', 'p', 'br', 'script', 'style')]).map(
  name => `</${name}>`,
)
const texts = one(
  'http://text/ ',
  'a &amp; b',
  '<!-- <img src=http://comment> -->',
  '<!--',
  '-->',
  '--!>',
  '<![CDATA[',
  ']]>',
  '<?',
  '<!',
  '</',
  '<',
  '<!doctype html>',
  '"',
  "'",
  '>',
  ' ',
  '\r\n',
  '\x00',
  '\xe9\xff',
  '<script>"<img src=http://script>"</script>',
  '<script><!--<script>',
  '<svg/>',
  '<svg></p>',
  '<style><img src=http://style></style>',
  '<noscript><img src=http://noscript></noscript>',
  '<textarea><img src=http://textarea>',
  '<iframe srcdoc="<img src=http://srcdoc>">',
  '<template><img src=http://template>',
  '<svg><style><img src=http://breakout>',
  '<math><annotation-xml encoding="text/html"><img src=http://math>',
  '<frameset><frame src=http://frame>',
)
const noise = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('<>"\'=/& #;:-!htps'))), {
    maxLength: 12,
  })
  .map(bytes => Buffer.from(bytes).toString('latin1'))
const marks = one('', '', '', '', '', '', '\xef\xbb\xbf', '\xfe\xff')

/** Pages, broken ones above all, each byte a character. */
export const htmlPages = joined(marks, several(weighted([6, startTags], [2, endTags], [2, texts], [1, noise]), 9))

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { SecureHtml, secureHtml } from '../../lib/sharing/force-https/secure-html.ts'

const [A, S] = ['http://h.example/x', 'https://h.example/x']

for (const [tag, attributes] of Object.entries({
  img: ['src', 'srcset'],
  image: ['src'],
  script: ['src'],
  source: ['src', 'srcset'],
  video: ['src', 'poster'],
  audio: ['src'],
  iframe: ['src'],
  embed: ['src'],
  object: ['data'],
  track: ['src'],
  base: ['href'],
  body: ['background'],
  table: ['background'],
  'input type=image': ['src'],
  'input type="IMAGE"': ['src'],
  'svg><image': ['href', 'xlink:href'],
  'svg><use': ['href', 'xlink:href'],
  'svg><feImage': ['href', 'xlink:href'],
  'svg><script': ['href', 'xlink:href'],
  'link rel=stylesheet': ['href'],
  'link rel="shortcut ICON"': ['href'],
  'link rel=apple-touch-icon': ['href'],
  'link rel=mask-icon': ['href'],
  'link rel="alternate stylesheet"': ['href'],
  'link rel=preload as=image': ['href', 'imagesrcset'],
  'link rel=modulepreload': ['href'],
  'link rel=prefetch': ['href'],
  'link rel=preconnect': ['href'],
  'link rel=dns-prefetch': ['href'],
  'link rel="\n manifest\t"': ['href'],
}))
  for (const attribute of attributes)
    test(`X5: <${tag.replace(/\s+/g, ' ')} ${attribute}> is rewritten, however it is written.`, t => {
      for (const [before, after] of [
        ['"', '"'],
        ["'", "'"],
        ['', ' '],
      ]) {
        t.is(secureHtml(`<${tag} ${attribute}=${before}${A}${after}>`), `<${tag} ${attribute}=${before}${S}${after}>`)
      }
      t.is(
        secureHtml(`<${tag.toUpperCase()} ${attribute.toUpperCase()}\n=\n"${A}"/>`),
        `<${tag.toUpperCase()} ${attribute.toUpperCase()}\n=\n"${S}"/>`,
      )
    })

test('X5: rows, cells and frames are rewritten where they stand.', t => {
  const table = (address: string) =>
    `<table>${['thead', 'tbody', 'tfoot'].map(name => `<${name} background=${address}><tr background=${address}><td background=${address}><th background=${address}>`).join('')}`
  t.is(secureHtml(table(A)), table(S))
  t.is(secureHtml(`<frameset><frame src=${A}></frameset>`), `<frameset><frame src=${S}></frameset>`)
})

for (const kept of [
  `<a href="${A}">`,
  `<a ping="${A}">`,
  `<area href="${A}">`,
  `<form action="${A}"><button formaction="${A}">`,
  `<blockquote cite="${A}">`,
  `<meta property="og:image" content="${A}">`,
  `<meta http-equiv=refresh content="0;url=${A}">`,
  `<link rel=canonical href="${A}">`,
  `<link rel="alternate next license" href="${A}">`,
  `<link href="${A}">`,
  `<img data-src="${A}" alt="${A}" longdesc="${A}">`,
  `<img src="/x?next=${A}">`,
  `<input src="${A}"><input type=text src="${A}" value="${A}">`,
  `<div src="${A}" href="${A}" background="${A}">`,
  `<svg><a xlink:href="${A}"></a><image src="${A}"/></svg>`,
  `<math><mi href="${A}"></math>`,
  `<!-- <img src="${A}"> -->`,
  `<!doctype html SYSTEM "${A}">`,
  `<script>document.write('<img src="${A}">')</script>`,
  `<svg/><script>document.write('<img src="${A}">')</script>`,
  `<style>@import "${A}"; <img src="${A}"></style>`,
  `<p style="background: url(${A})">`,
  `<title><img src="${A}"></title><textarea><img src="${A}"></textarea>`,
  `<noscript><img src="${A}"></noscript>`,
  `<iframe srcdoc='<img src="${A}">'></iframe>`,
  `<xmp><img src="${A}"></xmp><plaintext><img src="${A}">`,
  `<img src="//h/x"><img src="/x"><img src="x"><img src=""><img src><img src="https://h:80/">`,
  `<img src="data:text/html,http://h"><img src="blob:http://h/1"><img src="httpx://h"><img src="xhttp://h">`,
  '<img src="http:"><img src="http://"><img src="http:///?x"><img src="http://:80/">',
  '<img src="http://localhost/"><img src="http://localhost.:80"><img src="http://app.localhost:3000/">',
  '<img src="http://127.0.0.1:8080/"><img src="http://127.1/"><img src="http://[::1]/x"><img src="http://0x7f000001">',
  `<img src="/first" src="${A}">`,
  `<img ${A} src"${A}" >${A}</p src="${A}">`,
  `<img src="${A}`,
  `<img src=${A}`,
])
  test(`X5: this stays: ${JSON.stringify(kept)}`, t => {
    t.is(secureHtml(kept), kept)
  })

for (const [address, secure] of [
  ['HTTP://H.example', 'HTTPs://H.example'],
  [' \n\x01http://h', ' \n\x01https://h'],
  ['h\nt\tt\rp://h', 'h\nt\tt\rps://h'],
  ['http&#58;//h', 'https&#58;//h'],
  ['&#x68;ttp://h', '&#x68;ttps://h'],
  ['&#104&#116&#116&#112:&#47/h', '&#104&#116&#116&#112s:&#47/h'],
  ['http&colon;&sol;&sol;h', 'https&colon;&sol;&sol;h'],
  ['ht&NewLine;tp://h?a&amp;b&copy=1', 'ht&NewLine;tps://h?a&amp;b&copy=1'],
  ['http:\\\\h\\x', 'https:\\\\h\\x'],
  ['http:/h/x', 'https://h/x'],
  ['http:h/x', 'https://h/x'],
  ['http&#58h', 'https&#58//h'],
  ['http:///h', 'https:///h'],
  ['http://h:80', 'https://h'],
  ['http://h:80/x:80', 'https://h/x:80'],
  ['http://h:080?x', 'https://h?x'],
  ['http://h&colon;8&#48;#x', 'https://h#x'],
  ['http://u:80@h:80/', 'https://u:80@h/'],
  ['http://[2001:db8::80]:80/', 'https://[2001:db8::80]/'],
  ['http://[2001:db8::80]/', 'https://[2001:db8::80]/'],
  ['http://h:8080/', 'https://h:8080/'],
  ['http://h:443/', 'https://h:443/'],
  ['http://localhost.example/', 'https://localhost.example/'],
  ['http://user@127.0.0.1.example', 'https://user@127.0.0.1.example'],
  ['http://\uff4cocalhost/', 'https://\uff4cocalhost/'],
  ['http://b\xc3\xbccher.example/', 'https://b\xc3\xbccher.example/'],
])
  test(`X5: an address is read as a browser reads it: ${JSON.stringify(address)}`, t => {
    t.is(secureHtml(`<img src="${address}">`), `<img src="${secure}">`)
    t.is(secureHtml(`<img src="${secure}">`), `<img src="${secure}">`)
    const over = new URL(decodeIn(`<img src="${address}">`).replace(/^http:/, 'https:'))
    t.is(decodeIn(`<img src="${secure}">`), over.href)
  })

/** Where the image of a page over https would be asked for, by Node's own reading of addresses. */
function decodeIn(page: string): string {
  const [, value] = /src="([^"]*)"/.exec(page)!
  const references: Record<string, string> = { colon: ':', sol: '/', NewLine: '\n', amp: '&' }
  const plain = value!
    .replace(/&#x([\da-f]+);?/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/&#(\d+);?/g, (_, code) => String.fromCharCode(code))
    .replace(/&(colon|sol|NewLine|amp);/g, (_, name) => references[name]!)
  return new URL(plain, 'https://page.example/dir/').href
}

for (const [srcset, secure] of [
  ['http://a/1 1x, http://b/2 2x', 'https://a/1 1x, https://b/2 2x'],
  [' ,, http://a/1,http://b', ' ,, https://a/1,http://b'],
  ['http://a/1, http://b/2,', 'https://a/1, https://b/2,'],
  ['/1 1x, http://b:80 2x', '/1 1x, https://b 2x'],
  ['http://a 1x(, http://b 2x), http://c', 'https://a 1x(, http://b 2x), https://c'],
  ['data:,http://a 1x,\nhttp://b?x,y=1&amp;z 100w', 'data:,http://a 1x,\nhttps://b?x,y=1&amp;z 100w'],
])
  test(`X5: candidates are told apart as a browser does: ${JSON.stringify(srcset)}`, t => {
    t.is(secureHtml(`<img srcset="${srcset}">`), `<img srcset="${secure}">`)
  })

test('X5: content of a template, of foreign objects and of a <select> is the page.', t => {
  for (const page of [
    (address: string) => `<template><img src=${address}></template>`,
    (address: string) => `<svg><foreignObject><img src=${address}></foreignObject></svg>`,
    (address: string) => `<select><option><picture><source srcset=${address}><img src=${address}></picture></select>`,
  ])
    t.is(secureHtml(page(A)), page(S))
})

test('X5: a byte order mark is no text of the page; one of UTF-16 leaves it alone.', t => {
  const page = (mark: string, address: string) => `${mark}<frameset><frame src=${address}></frameset>`
  for (const mark of ['\xef\xbb\xbf', '\ufeff']) t.is(secureHtml(page(mark, A)), page(mark, S))
  for (const mark of ['\xff\xfe', '\xfe\xff']) t.is(secureHtml(page(mark, A)), page(mark, A))
})

/** How a page may go on without ever beginning another tag. */
const ENDLESS = [
  ['<p>', 'text & text\r\n'],
  ['<!--', '- <b> --x '],
  ['<script>', 'a < b && c\n'],
  ['<textarea>', '<img src=http://h>'],
  ['<table>', 'a b '],
  ['<svg><![CDATA[', ']] >'],
  ['<?', 'bogus '],
] as const

test('X5: what a page holds before its next tag goes out at once, and nothing of it is kept.', t => {
  for (const [before, unit] of ENDLESS) {
    const html = new SecureHtml()
    const chunk = unit.repeat(Math.ceil(4096 / unit.length))
    let sent = html.write(before).length
    for (let count = 1; count <= 500; count++) {
      sent += html.write(chunk).length
      t.true(before.length + count * chunk.length - sent < 32, before)
    }
  }
})

test('X5: no text is kept, however long it is, and nothing that a page opens costs more the longer the page.', t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (const [before, unit] of ENDLESS) {
    const html = new SecureHtml()
    const chunk = unit.repeat(Math.ceil(65_536 / unit.length))
    html.write(before)
    collect()
    const used = process.memoryUsage().heapUsed
    for (let count = 0; count < 32; count++) html.write(chunk)
    collect()
    t.true(process.memoryUsage().heapUsed - used < 750_000, before)
  }
  const began = Date.now()
  secureHtml(Array.from({ length: 20_000 }, (_, index) => `<p><b id=${index}>http:`).join(''))
  secureHtml(`<img src="http://h${' '.repeat(200_000)}h/${'&amp;'.repeat(200_000)}">`)
  secureHtml(`<img srcset="http://h${','.repeat(200_000)}h, ${'http://h, '.repeat(200_000)}">`)
  secureHtml('<img src=http://h>'.repeat(50_000))
  t.true(Date.now() - began < 15_000)
})

test('X5: a start tag is held back until it is complete, and no longer.', t => {
  const html = new SecureHtml()
  t.is(html.write('text <'), 'text <')
  t.is(html.write('img src="ht'), '')
  t.is(html.write('tp://h" alt="'), '')
  t.is(html.write('x"'), '')
  t.is(html.write('> more'), 'img src="https://h" alt="x"> more')
  t.is(html.write('</p'), '</p')
  t.is(html.write('><img src=http://h'), '>')
  t.is(html.end(), '<img src=http://h')
})

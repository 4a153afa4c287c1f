import test from 'ava'
import { nextPath } from 'koa-strata'

const HERE: [next: string, path?: string][] = [
  ['/'],
  ['/jobs'],
  ['/jobs/7?tab=apply&x=%20#form'],
  ['/?next=//evil.example'],
  ['/jobs?u=https://evil.example/'],
  ['/#//evil.example'],
  ['/a//b'],
  ['/%2f/evil.example'],
  ['/%2F%2Fevil.example'],
  ['/%5cevil.example'],
  ['/%5C/evil.example'],
  ['/%09/evil.example'],
  ['/%0d%0aSet-Cookie:%20a=b'],
  ['/@evil.example'],
  ['/:@evil.example'],
  ['/http://evil.example'],
  ['/https:evil.example'],
  ['/javascript:alert(1)'],
  ['/;//evil.example'],
  ['/~user/'],
  ['/ä/ö', '/%C3%A4/%C3%B6'],
  ['/山田?名=太郎', '/%E5%B1%B1%E7%94%B0?%E5%90%8D=%E5%A4%AA%E9%83%8E'],
  ['/😀', '/%F0%9F%98%80'],
  ['/\u200b/evil.example', '/%E2%80%8B/evil.example'],
  ['/／evil.example', '/%EF%BC%8Fevil.example'],
  ['/\u202egnp.exe', '/%E2%80%AEgnp.exe'],
  ['/\ud800', '/%EF%BF%BD'],
  ['/a/../b', '/b'],
  ['/./a', '/a'],
  ['/../../etc/passwd', '/etc/passwd'],
  ['/a/..', '/'],
  ['/"><script>', '/%22%3E%3Cscript%3E'],
  ["/'", "/'"],
]

const ELSEWHERE: [what: string, next: unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 5],
  ['a list', ['/jobs']],
  ['an object', { toString: () => '/jobs' }],
  ['true', true],
  ['an empty text', ''],
  ['two slashes', '//evil.example'],
  ['two slashes and a path', '//evil.example/jobs'],
  ['three slashes', '///evil.example'],
  ['four slashes', '////evil.example'],
  ['a slash and a backslash', '/\\evil.example'],
  ['a backslash and a slash', '\\/evil.example'],
  ['two backslashes', '\\\\evil.example'],
  ['a slash and two backslashes', '/\\\\evil.example'],
  ['a backslash further on', '/jobs\\..\\x'],
  ['a tab between two slashes', '/\t/evil.example'],
  ['a newline between two slashes', '/\n/evil.example'],
  ['a carriage return between two slashes', '/\r/evil.example'],
  ['a tab before a backslash', '/\t\\evil.example'],
  ['a newline in front', '\n//evil.example'],
  ['a header that would follow', '/jobs\r\nSet-Cookie: a=b'],
  ['a space in front', ' //evil.example'],
  ['a space between two slashes', '/ /evil.example'],
  ['NUL between two slashes', '/\0/evil.example'],
  ['a C1 control', '/\u0085/evil.example'],
  ['a no-break space', '/\u00a0/evil.example'],
  ['a line separator', '/\u2028/evil.example'],
  ['an ideographic space', '/\u3000/evil.example'],
  ['a byte order mark', '\ufeff//evil.example'],
  ['an absolute address', 'https://evil.example/'],
  ['an absolute address in capitals', 'HTTPS://EVIL.EXAMPLE'],
  ['an address without slashes', 'https:evil.example'],
  ['an address with one slash', 'https:/evil.example'],
  ['an address with three slashes', 'https:///evil.example'],
  ['javascript:', 'javascript:alert(1)'],
  ['JaVaScRiPt:', 'JaVaScRiPt:alert(1)'],
  ['data:', 'data:text/html,<script>alert(1)</script>'],
  ['vbscript:', 'vbscript:x'],
  ['a path without a slash', 'jobs'],
  ['a query alone', '?next=/'],
  ['a fragment alone', '#top'],
  ['a user and a host', '@evil.example'],
  ['dots that leave two slashes', '/..//evil.example'],
  ['one dot that leaves two slashes', '/.//evil.example'],
  ['a folder and dots that leave two slashes', '/a/..//evil.example'],
  ['encoded dots that leave two slashes', '/%2e%2e//evil.example'],
  ['one encoded dot that leaves two slashes', '/%2E//evil.example'],
  ['two slashes of full width', '／／evil.example'],
  ['a division slash', '\u2215\u2215evil.example'],
  ['two slashes and a host that is none', '//['],
  ['two slashes and a user', '//site.example@evil.example'],
  ['two slashes and a port', '//evil.example:443/'],
  ['two slashes and the base itself', '//base.invalid/x'],
  ['the base itself', 'http://base.invalid/x'],
]

for (const [next, path = next] of HERE) {
  test(`L8: next ${JSON.stringify(next)} is followed on this site.`, t => {
    t.is(nextPath(next), path)
    t.is(nextPath(nextPath(next)), path, 'what it answers is answered again')
  })
}

for (const [what, next] of ELSEWHERE) {
  test(`L8: next that is ${what} is not followed.`, t => {
    t.is(nextPath(next), '/')
    t.is(nextPath(next, '/welcome'), '/welcome')
  })
}

test('L8: a next of any length stays on this site.', t => {
  const long = `/${'a'.repeat(100_000)}`
  t.is(nextPath(long), long)
  t.is(nextPath(`/${'/'.repeat(100_000)}`), '/')
  t.is(nextPath(`/${'../'.repeat(30_000)}/evil.example`), '/')
})

test('L8: a browser that follows what nextPath answers stays on the site, whatever it was made from.', t => {
  const pieces = [
    '/',
    '\\',
    '.',
    '..',
    '%2e',
    '%2f',
    '%5c',
    '@',
    ':',
    '?',
    '#',
    'evil.example',
    '\t',
    ' ',
    'http:',
    ';',
  ]
  let asked = 0
  const walk = (next: string, left: number) => {
    asked++
    const { origin } = new URL(nextPath(next), 'https://site.example/login')
    if (origin !== 'https://site.example') t.fail(JSON.stringify(next))
    if (left > 0) for (const piece of pieces) walk(next + piece, left - 1)
  }
  walk('/', 4)
  t.true(asked > 69_000)
})

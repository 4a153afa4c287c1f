import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import fc from 'fast-check'
import { OptionInvalid } from 'koa-strata'
import { type PublicUrlOptions, publicUrl } from 'koa-strata/sharing'
import { LONG, scaled } from '../scale.ts'

const run = promisify(execFile)
const ORIGIN = 'https://www.example'

const ORIGINS = [
  'https://www.example',
  'http://localhost:3000',
  'https://[2001:db8::1]:8443',
  'https://192.0.2.1',
  'https://xn--bcher-kva.example',
]
for (const origin of ORIGINS) {
  test(`${origin} is an origin, given or answered.`, t => {
    for (const given of [origin, () => origin]) {
      const url = publicUrl({ origin: given })
      t.is(url.origin, origin)
      t.is(url('/jobs.atom'), `${origin}/jobs.atom`)
    }
  })
}

const NO_ORIGINS: [what: string, origin: unknown][] = [
  ['a path', 'https://www.example/webapps'],
  ['a slash at its end', 'https://www.example/'],
  ['a query', 'https://www.example?x'],
  ['a fragment', 'https://www.example#x'],
  ['credentials', 'https://user:password@www.example'],
  ['a user', 'https://user@www.example'],
  ['upper case', 'https://WWW.example'],
  ['the port that is meant anyway', 'https://www.example:443'],
  ['a port that is none', 'https://www.example:99999'],
  ['a colon at its end', 'https://www.example:'],
  ['a space before it', ' https://www.example'],
  ['a line break at its end', 'https://www.example\n'],
  ['a tab within', 'https://www.ex\tample'],
  ['a backslash', 'https:\\\\www.example'],
  ['letters that are not ASCII', 'https://bücher.example'],
  ['a short address', 'https://127.1'],
  ['no scheme', 'www.example'],
  ['no scheme but slashes', '//www.example'],
  ['no host', 'https://'],
  ['ftp', 'ftp://www.example'],
  ['javascript', 'javascript:alert(1)'],
  ['a blob of an origin', 'blob:https://www.example'],
  ['a file', 'file:///etc'],
  ['the opaque origin', 'null'],
  ['nothing', ''],
  ['a number', 1],
  ['null', null],
  ['nothing given', undefined],
  ['a URL', new URL(ORIGIN)],
  ['a list', [ORIGIN]],
  ['a promise', Promise.resolve(ORIGIN)],
]
for (const [what, origin] of NO_ORIGINS) {
  test(`An origin with, or that is, ${what} is an OptionInvalid: at construction, and at first use where a function answers it.`, t => {
    const expectation = { instanceOf: OptionInvalid }
    t.is(t.throws(() => publicUrl({ origin: origin as string }), expectation).option, 'origin')
    const url = publicUrl({ origin: () => origin as string })
    for (const use of [() => url('/x'), () => url.origin]) t.is(t.throws(use, expectation).option, 'origin')
    t.is(url.path('/x'), '/x')
  })
}

test('An origin that is refused is not quoted: it may hold a password.', t => {
  const error = t.throws(() => publicUrl({ origin: 'https://user:geheim@www.example' }))
  t.false(error!.message.includes('geheim'))
})

test('The origin is asked for when it is first used, and not again.', t => {
  let asked = 0
  const url = publicUrl({
    origin: () => {
      asked++
      return ORIGIN
    },
    prefix: '/webapps',
  })
  t.is(url.path('/login'), '/webapps/login')
  t.throws(() => url.path('//evil'))
  t.is(asked, 0)
  t.is(url('/login'), 'https://www.example/webapps/login')
  t.is(url.origin, ORIGIN)
  t.is(url('/'), 'https://www.example/webapps/')
  t.is(asked, 1)
})

test('Where the origin cannot be said yet, it is asked for again.', t => {
  const failures = [new Error('not yet'), undefined, 'https://www.example/']
  const url = publicUrl({
    origin: () => {
      if (failures.length === 0) return ORIGIN
      const failure = failures.shift()
      if (failure instanceof Error) throw failure
      return failure as string
    },
  })
  t.throws(() => url('/x'), { message: 'not yet' })
  t.throws(() => url('/x'), { instanceOf: OptionInvalid })
  t.throws(() => url.origin, { instanceOf: OptionInvalid })
  t.is(url('/x'), 'https://www.example/x')
})

const PREFIXES: [prefix: string | undefined, whole: string][] = [
  [undefined, '/x'],
  ['', '/x'],
  ['/webapps', '/webapps/x'],
  ['/web/apps', '/web/apps/x'],
  ['/~ada/a%20b', '/~ada/a%20b/x'],
  ['/.well-known', '/.well-known/x'],
  ['/a..b', '/a..b/x'],
]
for (const [prefix, whole] of PREFIXES) {
  test(`With the prefix ${prefix ?? '(none)'} the path /x is ${whole}.`, t => {
    const url = publicUrl({ origin: ORIGIN, prefix })
    t.is(url.path('/x'), whole)
    t.is(url('/x'), ORIGIN + whole)
  })
}

const NO_PREFIXES: unknown[] = [
  '/',
  'webapps',
  '/webapps/',
  '//webapps',
  '/a//b',
  '/../a',
  '/a/..',
  '/.',
  '/%2E%2e',
  '/a/.%2e/b',
]
const ALSO_NO_PREFIXES: unknown[] = [
  '/a b',
  '/a?b',
  '/a#b',
  '/ä',
  '\\a',
  '/a\\b',
  '/a\n',
  'https://evil.example',
  null,
  1,
]
for (const prefix of [...NO_PREFIXES, ...ALSO_NO_PREFIXES]) {
  test(`${JSON.stringify(prefix)} is no prefix.`, t => {
    const error = t.throws(() => publicUrl({ origin: ORIGIN, prefix: prefix as string }), { instanceOf: OptionInvalid })
    t.is(error.option, 'prefix')
  })
}

test('An option that is not known is an OptionInvalid.', t => {
  const error = t.throws(() => publicUrl({ origin: ORIGIN, path: '/x' } as PublicUrlOptions), {
    instanceOf: OptionInvalid,
  })
  t.is(error.option, 'path')
})

const OFF_THE_SITE = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '/..//evil.example',
  '/a\\..\\..\\..\\b',
  '/a\0',
  '/a\x7f',
  '/a\x85',
  'https://evil.example',
  'https:evil.example',
  'javascript:alert(1)',
  '@evil.example',
  ':80',
  '.evil.example',
  'a',
  './a',
  '../a',
  '?a',
  '#a',
  '',
]
const NO_TEXTS: unknown[] = [undefined, null, 1, ['/a'], { toString: () => '/b' }, new URL('https://www.example/a')]
for (const path of [...OFF_THE_SITE, ...NO_TEXTS]) {
  test(`${typeof path === 'string' ? JSON.stringify(path) : String(path)} (${typeof path}) is no path of the site.`, t => {
    for (const prefix of ['', '/webapps']) {
      const url = publicUrl({ origin: ORIGIN, prefix })
      for (const use of [url, url.path])
        t.is(t.throws(() => use(path as string), { instanceOf: OptionInvalid }).option, 'path')
    }
  })
}

test('Nothing slips out of the bare site by what is left of a path without its dots.', t => {
  const url = publicUrl({ origin: ORIGIN })
  for (const path of ['/.//evil.example', '/..//evil.example', '/a/..//evil.example', '/%2e//evil.example']) {
    t.throws(() => url(path), { instanceOf: OptionInvalid }, path)
    t.throws(() => url.path(path), { instanceOf: OptionInvalid }, path)
  }
})

for (const path of ['/..', '/../x', '/../webapps', '/a/../../x', '/%2e%2e/x', '/%2E./x', '/.%2e/x', '/../webappsx/y']) {
  test(`${path} leaves the prefix, and is refused.`, t => {
    const url = publicUrl({ origin: ORIGIN, prefix: '/webapps' })
    t.throws(() => url(path), { instanceOf: OptionInvalid })
    t.throws(() => url.path(path), { instanceOf: OptionInvalid })
  })
}

const ENCODED: [path: string, whole: string][] = [
  ['/', '/webapps/'],
  ['/jobs.atom?q=1&page=2#top', '/webapps/jobs.atom?q=1&page=2#top'],
  ['/a b', '/webapps/a%20b'],
  ['/a%20b%2Fc', '/webapps/a%20b%2Fc'],
  ['/a ', '/webapps/a%20'],
  ['/a?q=x  ', '/webapps/a?q=x%20%20'],
  ['/ünï?q=ö#ä', '/webapps/%C3%BCn%C3%AF?q=%C3%B6#%C3%A4'],
  ['/日本', '/webapps/%E6%97%A5%E6%9C%AC'],
  ['/a"<>', '/webapps/a%22%3C%3E'],
  ['/a?q="<>\'', '/webapps/a?q=%22%3C%3E%27'],
  ['/login?next=//evil.example', '/webapps/login?next=//evil.example'],
  ['/a//b', '/webapps/a//b'],
  ['/%2f%2fevil.example', '/webapps/%2f%2fevil.example'],
  ['/@evil.example', '/webapps/@evil.example'],
  ['/webapps/x', '/webapps/webapps/x'],
]
for (const [path, whole] of ENCODED) {
  test(`${path} is ${whole} to the world.`, t => {
    const url = publicUrl({ origin: ORIGIN, prefix: '/webapps' })
    t.is(url.path(path), whole)
    t.is(url(path), ORIGIN + whole)
  })
}

test('X2: any text at all is a path below the prefix of the site, or refused.', t => {
  t.timeout(LONG)
  const pieces = fc.constantFrom(
    '/',
    '//',
    '\\',
    '..',
    '.',
    '%2e',
    '%2f',
    '%5c',
    '\t',
    '\n',
    '@',
    ':',
    '?',
    '#',
    'evil.example',
    ' ',
  )
  const paths = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 8 }).map(all => `/${all.join('')}`),
  )
  let made = 0
  fc.assert(
    fc.property(paths, fc.constantFrom('', '/webapps'), (path, prefix) => {
      const url = publicUrl({ origin: ORIGIN, prefix })
      let whole: string
      try {
        whole = url.path(path)
      } catch (error) {
        return error instanceof OptionInvalid
      }
      made++
      // As a browser reads it, in a link of a page that is anywhere on the site.
      const { origin, pathname, href } = new URL(whole, `${ORIGIN}/some/page`)
      return (
        origin === ORIGIN && pathname.startsWith(`${prefix}/`) && href === url(path) && /^[\x21-\x7e]+$/.test(whole)
      )
    }),
    { numRuns: scaled(50_000) },
  )
  t.true(made > scaled(50_000) / 10)
})

const JOB = `import('koa-strata/sharing').then(({ publicUrl }) => {
  const url = publicUrl({ origin: () => process.env.ORIGIN, prefix: '/webapps' })
  return 'Confirm: ' + url('/confirm?token=ä')
})`
const MAIL = 'Confirm: https://www.example/webapps/confirm?token=%C3%A4'
const execArgv = ['--conditions=koa-strata:source']
const env = { ...process.env, ORIGIN }

test('A command-line job writes the same address, without any request.', async t => {
  const args = [...execArgv, '--eval', `${JOB}.then(text => process.stdout.write(text))`]
  const { stdout } = await run(process.execPath, args, { env })
  t.is(stdout, MAIL)
})

test('And so does a worker.', async t => {
  const job = `${JOB}.then(text => require('node:worker_threads').parentPort.postMessage(text))`
  const [text] = await once(new Worker(job, { eval: true, execArgv, env }), 'message')
  t.is(text, MAIL)
})

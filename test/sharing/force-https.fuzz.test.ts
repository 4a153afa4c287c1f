import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import fc from 'fast-check'
import { SecureHtml, secureHtml } from '../../lib/sharing/force-https/secure-html.ts'
import { LONG, scaled } from '../scale.ts'
import { problemOf } from './force-https-oracle.ts'
import { htmlPages } from './html-pages.ts'

const pieceSizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 })

function inPieces(page: string, sizes: readonly number[]): string {
  const html = new SecureHtml()
  let result = ''
  for (let at = 0, turn = 0; at < page.length; turn++) {
    const next = at + sizes[turn % sizes.length]!
    result += html.write(page.slice(at, next))
    at = next
  }
  return result + html.end()
}

function naive(page: string): string {
  return page.replace(/(src|href|data|poster|background|srcset)(\s*=\s*["']?)http:/gi, '$1$2https:')
}

const fails = (rewrite: (page: string) => string) => (page: string, cut: number) =>
  [page, page.slice(0, cut % (page.length + 1))].some(one => problemOf(one, rewrite(one)) !== null)

test('X5: of any page, whole or cut off, what asks for sub-resources is rewritten and no byte besides, in pieces as at once, and twice as once.', async t => {
  t.timeout(LONG)
  // Lets AVA hear of it before the loop begins.
  await setImmediate()
  let changed = 0
  fc.assert(
    fc.property(htmlPages, fc.nat(), pieceSizes, (page, cut, sizes) => {
      for (const one of [page, page.slice(0, cut % (page.length + 1))]) {
        const secure = secureHtml(one)
        if (secure !== one) changed++
        const problem = problemOf(one, secure)
        if (problem) throw new Error(`${problem}\n${JSON.stringify(secure)}`)
        if (inPieces(one, sizes) !== secure) throw new Error('pieces differ')
        if (secureHtml(secure) !== secure) throw new Error('twice differs')
      }
    }),
    { numRuns: scaled(100_000) },
  )
  t.true(changed > scaled(10_000))
})

test('X5: the same pages show what a replacement by a pattern gets wrong.', t => {
  const found = fc.check(
    fc.property(htmlPages, fc.nat(), (page, cut) => !fails(naive)(page, cut)),
    { numRuns: 1000, endOnFailure: true },
  )
  t.true(found.failed)
})

import test from 'ava'
import { checkCookie, checkSetCookies } from '../../../lib/cli/doctor/cookies.ts'
import type { Finding } from '../../../lib/cli/doctor/finding.ts'

const GOOD = '__Host-sid=value; Max-Age=10; Path=/; HttpOnly; Secure; SameSite=Lax'
const live = { isProduction: true, url: new URL('https://www.example.org/') }

test('A cookie that is as it should be is ok, and its value is not told.', t => {
  for (const line of [
    GOOD,
    '__Secure-sid=value; Path=/; Domain=example.org; HttpOnly; Secure; SameSite=Strict',
    '__Secure-sid=value; path=/; domain=.EXAMPLE.org; httponly; secure; samesite=lax',
  ]) {
    const [found, ...more] = checkCookie('the site', line, live)
    t.like(found, { check: 'cookie', status: 'ok' }, line)
    t.false(found!.message.includes('value'))
    t.deepEqual(more, [])
  }
})

test('Each flag of a cookie that is missing or contradicts another is told.', t => {
  const wrong: [line: string, status: Finding['status'], said: RegExp][] = [
    [GOOD.replace(' HttpOnly;', ''), 'problem', /is not HttpOnly/],
    ['sid=1; Path=/; HttpOnly; SameSite=Lax', 'problem', /is not Secure/],
    ['sid=1; Path=/; HttpOnly; Secure; SameSite=Lax', 'warning', /no prefix/],
    [GOOD.replace('; SameSite=Lax', ''), 'warning', /no SameSite/],
    [GOOD.replace('Lax', 'None'), 'warning', /SameSite=None\./],
    ['sid=1; Path=/; HttpOnly; SameSite=None', 'problem', /SameSite=None without Secure/],
    ['__Secure-sid=1; Path=/; HttpOnly; Secure; SameSite=Lax; Domain=org', 'problem', /public suffix org/],
    ['__Secure-sid=1; Path=/; HttpOnly; Secure; SameSite=Lax; Domain=github.io', 'problem', /public suffix github\.io/],
    ['__Secure-sid=1; Path=/; HttpOnly; Secure; SameSite=Lax; Domain=example.com', 'problem', /not the site's/],
    ['__Secure-sid=1; Path=/; HttpOnly; Secure; SameSite=Lax; Domain=ample.org', 'problem', /not the site's/],
    [`${GOOD}; Domain=example.org`, 'problem', /prefix that its attributes do not keep/],
    [GOOD.replace('Path=/', 'Path=/x'), 'problem', /prefix that its attributes do not keep/],
    ['__Secure-sid=1; Path=/; HttpOnly; SameSite=Lax', 'problem', /prefix that its attributes do not keep/],
  ]
  for (const [line, status, said] of wrong) {
    const found = checkCookie('the site', line, live).find(({ message }) => said.test(message))
    t.is(found?.status, status, line)
  }
})

test('A cookie without Secure is a problem where the site is, or should be, https; elsewhere a warning.', t => {
  const line = 'sid=1; Path=/; HttpOnly; SameSite=Lax'
  const statusFor = (isProduction: boolean, url: string | null) =>
    checkCookie('the site', line, { isProduction, url: url === null ? null : new URL(url) })[0]?.status
  t.is(statusFor(true, null), 'problem')
  t.is(statusFor(false, 'https://example.org/'), 'problem')
  t.is(statusFor(false, null), 'warning')
  t.is(statusFor(false, 'http://localhost/'), 'warning')
})

test('Of the cookies that a site sets, the session’s is looked at, and no other.', t => {
  const lines = ['theme=dark; Path=/', GOOD, 'mine=1; Path=/']
  t.deepEqual(
    checkSetCookies(lines, [], live).map(({ status }) => status),
    ['ok'],
  )
  t.like(checkSetCookies(lines, ['mine'], live)[0], { status: 'problem' })
  t.like(checkSetCookies(['theme=dark'], [], live), { length: 1, 0: { status: 'skipped' } })
})

import type { OutgoingHttpHeaders } from 'node:http'

/** The password of everybody. */
export const PASSWORD = 'correct horse battery staple'
/** How many people there are: person-0 and so on. */
export const PEOPLE = 1_000

/** Somebody who sends requests. */
export interface Person {
  readonly name: string
  readonly token: string
  cookie: string
}

export interface Request {
  readonly path: string
  readonly form?: string
  readonly headers?: OutgoingHttpHeaders
}

/** A kind of request. */
export interface Kind {
  readonly name: string
  request(person: Person): Request
  /** How often it is sent where CPU time is measured: more where it is cheap. */
  readonly times: number
  /** Whether each comes from somebody who is logged in for it, and then is no more. */
  readonly ends?: boolean
  /** Whether all come from one person. */
  readonly alone?: boolean
}

const basic = (name: string) => `Basic ${Buffer.from(`${name}:${PASSWORD}`).toString('base64')}`
let newcomers = PEOPLE

/** What people send, in the order in which it is measured. */
export const KINDS: readonly Kind[] = [
  { name: 'page, nobody logged in', request: () => ({ path: '/' }), times: 3000 },
  { name: 'page, logged in', request: ({ cookie }) => ({ path: '/', headers: { cookie } }), times: 3000 },
  {
    name: 'change of the session',
    request: ({ cookie }) => ({ path: '/laps', form: '', headers: { cookie } }),
    times: 2000,
  },
  {
    name: 'login',
    request: ({ name }) => ({ path: '/login', form: `username=${name}&password=${encodeURIComponent(PASSWORD)}` }),
    times: 150,
  },
  {
    name: 'logout',
    request: ({ cookie }) => ({ path: '/logout', form: '', headers: { cookie } }),
    times: 150,
    ends: true,
  },
  {
    name: 'poll of a feed, name and password, the first',
    request: () => ({ path: '/feed', headers: { authorization: basic(`person-${--newcomers}`) } }),
    times: 150,
  },
  {
    name: 'the same, later',
    request: ({ name }) => ({ path: '/feed', headers: { authorization: basic(name) } }),
    times: 2000,
  },
  { name: 'poll of a feed, by token', request: ({ token }) => ({ path: `/feed?token=${token}` }), times: 2000 },
  // It moves the clock on, so it comes last.
  {
    name: 'page, logged in, a minute after the last',
    request: ({ cookie }) => ({ path: '/', headers: { cookie, 'x-later': '1' } }),
    times: 600,
    alone: true,
  },
]

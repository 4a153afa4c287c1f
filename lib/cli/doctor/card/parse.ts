import { idProblem, isBackendName } from '../../../users/backend.ts'
import { type Card, type CardLogin, MARK, VERSION } from './card.ts'
import { type BackendFacts, type CookieFacts, STAMP_COLUMNS } from './facts.ts'
import { MOST_PEOPLE, type People } from './people.ts'
import { choice, flag, list, number, record, text, wrong } from './shapes.ts'

const FINGERPRINT = /^[\w-]{22}$/

/** The card that a text is, of which nothing else is taken over. @throws Error saying why it is none */
export function parseCard(json: string): Card {
  const root = record(jsonOf(json), 'the document')
  const version = root[MARK]
  if (version === undefined) throw wrong('the document')
  if (version !== VERSION)
    throw new Error('it is a card of another version of koa-strata: write it by the version that is here.')
  return {
    writtenAt: number(root.writtenAt, 'writtenAt'),
    salt: text(root.salt, 'salt', /^[\w-]{43}$/),
    url: root.url === null ? null : webAddress(root.url),
    logins: list(root.logins, 'logins', 32, loginIn),
  }
}

function loginIn(value: unknown): CardLogin {
  const login = record(value, 'logins')
  return {
    cookie: cookieIn(login.cookie),
    keys: list(login.keys, 'keys', 64, key => (key === null ? null : text(key, 'keys', FINGERPRINT))),
    idleTimeout: number(login.idleTimeout, 'idleTimeout'),
    absoluteTimeout: number(login.absoluteTimeout, 'absoluteTimeout'),
    data: choice(login.data, 'data', ['store', 'cookie']),
    records: choice(login.records, 'records', ['store', 'memory', 'none']),
    backends: login.backends === null ? null : list(login.backends, 'backends', 64, backendIn),
    probe: login.probe === null ? null : text(login.probe, 'probe', /^[\da-f]{64}$/),
    people: list(login.people, 'people', 64, peopleIn),
  }
}

function cookieIn(value: unknown): CookieFacts {
  const cookie = record(value, 'cookie')
  return {
    name: text(cookie.name, 'cookie.name', /^[!#$%&'*+\-.^`|~\w]{1,150}$/),
    domain: cookie.domain === null ? null : text(cookie.domain, 'cookie.domain', /^[a-z\d.-]{1,253}$/),
    path: text(cookie.path, 'cookie.path', /^\/[\x20-\x3a\x3c-\x7e]{0,4095}$/),
    isSecure: flag(cookie.isSecure, 'cookie.isSecure'),
    sameSite: choice(cookie.sameSite, 'cookie.sameSite', ['Strict', 'Lax', 'None']),
    isPartitioned: flag(cookie.isPartitioned, 'cookie.isPartitioned'),
  }
}

function backendIn(value: unknown): BackendFacts {
  const backend = record(value, 'backends')
  if (!isBackendName(backend.name)) throw wrong('backends.name')
  const columns = backend.stampColumns
  return {
    name: backend.name,
    isCarried: flag(backend.isCarried, 'backends.isCarried'),
    endsSessions: flag(backend.endsSessions, 'backends.endsSessions'),
    stampColumns:
      columns === null
        ? null
        : list(columns, 'stampColumns', STAMP_COLUMNS.length, column => choice(column, 'stampColumns', STAMP_COLUMNS)),
  }
}

function peopleIn(value: unknown): People {
  const people = record(value, 'people')
  if (!isBackendName(people.backend)) throw wrong('people.backend')
  const ids = list(people.ids, 'people.ids', MOST_PEOPLE, id => {
    if (idProblem(id) !== null) throw wrong('people.ids')
    return id as string
  })
  return {
    backend: people.backend,
    ids,
    isDated: flag(people.isDated, 'people.isDated'),
    fingerprint: text(people.fingerprint, 'people.fingerprint', FINGERPRINT),
  }
}

function webAddress(value: unknown): string {
  if (typeof value !== 'string' || !/^https?:\/\/./.test(value) || value.length > 4096 || !URL.canParse(value))
    throw wrong('url')
  return value
}

function jsonOf(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new Error('it is no JSON.')
  }
}

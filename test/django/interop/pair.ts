import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { type Answer, Visitor } from '../../servers/django/visitor.ts'
import type { DjangoPerson } from '../../servers/django.ts'
import { type App, type AppOptions, PARTNER_PASSWORD, startBeside } from './app.ts'
import { MODEL_BACKEND, type Stage } from './ways.ts'

/** Somebody whom Django knows. */
export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly password: string
}

/** An error that reached an application's 'error' event. */
export type Fault = Error & { code?: string; expose?: boolean }

/** A live Django, and an application of this library beside it. What a check does in them is its own. */
export class Pair {
  readonly stage: Stage
  readonly app: App
  readonly #t: ExecutionContext
  /** All applications beside this Django, in one check. */
  readonly #apps: App[]

  private constructor(t: ExecutionContext, stage: Stage, apps: App[]) {
    this.#t = t
    this.stage = stage
    this.app = apps.at(-1)!
    this.#apps = apps
  }

  static async start(t: ExecutionContext, stage: Stage, options?: AppOptions): Promise<Pair> {
    return new Pair(t, stage, [await startBeside(t, stage, options)])
  }

  /** The same Django with another application. */
  async beside(options: AppOptions): Promise<Pair> {
    this.#apps.push(await startBeside(this.#t, this.stage, options))
    return new Pair(this.#t, this.stage, this.#apps)
  }

  /** Takes out the errors of all applications whose message Koa does not show to the client. */
  takeFaults(): Fault[] {
    const errors: Fault[] = this.#apps.flatMap(({ errors: told }) => told.splice(0))
    return errors.filter(({ expose }) => !expose)
  }

  /** Somebody new. */
  async person(columns: Partial<DjangoPerson> = {}): Promise<Person> {
    const name = `žofie-${randomBytes(6).toString('hex')}`
    const person = { name, password: `pässwörd of ${name}`, email: `${name}@example.org` }
    const { [name]: id } = await this.stage.site.people([{ ...person, ...columns }])
    return { ...person, id: String(id) }
  }

  /** Somebody whom no table knows. */
  partner(): Pick<Person, 'name' | 'password'> {
    return { name: `partner-${randomBytes(6).toString('hex')}`, password: PARTNER_PASSWORD }
  }

  /** A new browser, without cookies. @param cookie the session's, where it has one */
  visitor(cookie?: string): PairVisitor {
    const visitor = new PairVisitor(this.stage.site.url, this.app.url)
    if (cookie !== undefined) visitor.cookie = cookie
    return visitor
  }

  /** A browser in which somebody is logged in, by Django's form. */
  async loggedIn(person: Pick<Person, 'name' | 'password'>): Promise<PairVisitor> {
    const visitor = this.visitor()
    await visitor.logInThere(person)
    return visitor
  }

  /** Has Django keep a session with these values, and answers its cookie. @param login whose login it holds, by which of Django's backends */
  async keep(values: object, login?: { id: string; backend?: string }): Promise<string> {
    const code = `
from importlib import import_module
from django.conf import settings
session = import_module(settings.SESSION_ENGINE).SessionStore()
session.update(given['values'])
login = given['login']
if login:
    user = User.objects.get(pk=login['id'])
    session['_auth_user_id'] = str(user.pk)
    session['_auth_user_backend'] = login['backend']
    session['_auth_user_hash'] = user.get_session_auth_hash()
session.save()
answer(session.session_key)`
    const by = login ? { backend: MODEL_BACKEND, ...login } : null
    return String(await this.stage.site.run(code, { values, login: by }))
  }

  /** Sets columns of somebody, past Django's pages. */
  async change({ id }: Person, columns: object): Promise<void> {
    await this.stage.site.run("User.objects.filter(pk=given['id']).update(**given['columns'])", { id, columns })
  }
}

/** Whoever visits both, with the same cookies: those know hosts, and no ports. */
export class PairVisitor extends Visitor {
  readonly #there: string
  readonly #here: string

  constructor(there: string, here: string) {
    super(there)
    this.#there = there
    this.#here = here
  }

  /** The cookie of the session; empty where there is none. */
  get cookie(): string {
    return this.cookies.get('sessionid') ?? ''
  }

  set cookie(value: string) {
    this.cookies.set('sessionid', value)
  }

  /** Another browser with a copy of the cookies. */
  copy(): PairVisitor {
    const copy = new PairVisitor(this.#there, this.#here)
    for (const [name, value] of this.cookies) copy.cookies.set(name, value)
    return copy
  }

  /** Asks the application; with a body, by POST. */
  here(path: string, body?: unknown): Promise<Answer> {
    return body === undefined ? this.get(this.#here + path) : this.post(this.#here + path, body)
  }

  /** Asks Django; with a body, by POST. */
  there(path: string, body?: unknown): Promise<Answer> {
    return body === undefined ? this.get(path) : this.post(path, body)
  }

  async logInHere({ name, password }: Pick<Person, 'name' | 'password'>): Promise<Answer> {
    const answer = await this.here('/login', { username: name, password })
    assert.equal(answer.status, 200, answer.text)
    return answer
  }

  async logInThere({ name, password }: Pick<Person, 'name' | 'password'>): Promise<Answer> {
    const answer = await this.submit('/accounts/login/', { username: name, password })
    assert.equal(answer.status, 302, answer.text)
    return answer
  }

  async logOutHere(): Promise<Answer> {
    const answer = await this.here('/logout', {})
    assert.equal(answer.status, 200, answer.text)
    return answer
  }

  async logOutThere(): Promise<Answer> {
    const answer = await this.submit('/accounts/logout/', {}, '/')
    assert.equal(answer.status, 302, answer.text)
    return answer
  }

  /** What the session holds in the eyes of Django. */
  async dataThere(): Promise<Record<string, unknown>> {
    return (await this.there('/session')).json.data
  }

  /** What it holds here. */
  async dataHere(): Promise<Record<string, unknown>> {
    return (await this.here('/session')).json
  }

  /** Who is logged in there and here; empty for nobody. It asks here first: Django flushes a login that it takes for void. */
  async names(): Promise<{ here: string; there: string }> {
    const here: string = (await this.here('/me')).json.username
    return { here, there: (await this.there('/whoami')).json.username }
  }

  /** Holds that both sides say who this is; empty for nobody. */
  async is(name: string): Promise<void> {
    assert.deepEqual(await this.names(), { here: name, there: name })
  }
}

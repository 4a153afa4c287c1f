import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import type Koa from 'koa'
import { createMagazine, type MagazineOptions } from './app.ts'
import { openExample } from './example.ts'
import { createPublisher } from './publisher.ts'

/** The very apps of this recipe. */
export interface TestMagazine {
  readonly magazine: string
  readonly publisher: string
  /** The publisher's database. */
  readonly shared: Knex
  /** What the applications were told of with 'error'. */
  readonly errors: unknown[]
}

export async function startMagazine(
  t: ExecutionContext,
  more: Pick<MagazineOptions, 'admin'> = {},
): Promise<TestMagazine> {
  const options = await openExample(t)
  const errors: unknown[] = []
  const serve = async (app: Koa) => {
    app.on('error', error => errors.push(error))
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      server.close()
      server.closeAllConnections()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  return {
    magazine: await serve(createMagazine({ ...options, ...more })),
    publisher: await serve(createPublisher(options.publisher)),
    shared: options.publisher.database,
    errors,
  }
}

/** A page, as far as a test looks at it. */
export interface Seen {
  readonly status: number
  readonly text: string
  readonly location: string | undefined
  /** Whom the page greets; null where it asks to log in. */
  readonly who: string | null
}

/** A browser with one jar for all, as it has for the ports of a host, and for hosts below the cookie's domain. */
export class Browser {
  readonly cookies = new Map<string, string>()

  /** A page, or the answer to a form. @param host what the request names as its host */
  async ask(url: string, form?: Record<string, string>, host?: string): Promise<Seen> {
    const headers = {
      cookie: [...this.cookies].map(pair => pair.join('=')).join('; '),
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(host !== undefined && { host }),
    }
    const asked = request(url, { method: form ? 'POST' : 'GET', headers, agent: false })
    asked.end(form && new URLSearchParams(form).toString())
    const [answer] = await once(asked, 'response')
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (value === '') this.cookies.delete(name!)
      else this.cookies.set(name!, value!)
    }
    const text = Buffer.concat(await answer.toArray()).toString()
    const who = /<header>[\s\S]*<bdi>(.*)<\/bdi>[\s\S]*<\/header>/.exec(text)?.[1] ?? null
    return { status: answer.statusCode, text, location: answer.headers.location, who }
  }

  /** Logs in by the form of a place, and answers the status: 303 where it went well. */
  async logIn(place: string, username: string, password: string, host?: string): Promise<number> {
    return (await this.ask(`${place}/login`, { username, password }, host)).status
  }
}

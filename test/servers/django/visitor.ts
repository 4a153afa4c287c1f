/** What a site has answered. A redirect is not followed. */
export interface Answer {
  status: number
  headers: Headers
  text: string
  /** The text read as JSON. */
  json: ReturnType<typeof JSON.parse>
}

/** Whoever visits a site, with cookies and without a browser. */
export class Visitor {
  /** Those that are kept, by name. */
  readonly cookies = new Map<string, string>()
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  /** @param path or the whole URL of another server on this host, which gets the same cookies */
  get(path: string): Promise<Answer> {
    return this.send('GET', path)
  }

  /** Sends JSON. */
  post(path: string, body: unknown = {}): Promise<Answer> {
    return this.send('POST', path, JSON.stringify(body), { 'content-type': 'application/json' })
  }

  /** Fills in the form of a page, as a browser does: with Django's token. @param page where the form is @default path */
  async submit(path: string, fields: Record<string, string>, page = path): Promise<Answer> {
    const { text } = await this.get(page)
    const [, token = ''] = /name="csrfmiddlewaretoken" value="([^"]*)"/.exec(text) ?? []
    return this.send('POST', path, new URLSearchParams({ csrfmiddlewaretoken: token, ...fields }))
  }

  async send(
    method: string,
    path: string,
    body?: string | URLSearchParams,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(new URL(path, this.#url), {
      method,
      redirect: 'manual',
      headers: { ...headers, ...(cookie && { cookie }) },
      ...(body !== undefined && { body }),
    })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text)
      },
    }
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? []
    if (/; max-age=0/i.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

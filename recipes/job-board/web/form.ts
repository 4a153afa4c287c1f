import type { IncomingMessage } from 'node:http'
import type { Next, ParameterizedContext } from 'koa'
import type { Layer } from 'koa-strata'

/** The fields of a form that was sent: each name once, each value text. */
export class Form {
  readonly #fields: ReadonlyMap<string, string>

  constructor(fields: ReadonlyMap<string, string> = new Map()) {
    this.#fields = fields
  }

  /** The value as it was sent; empty where there is none. */
  get(name: string): string {
    return this.#fields.get(name) ?? ''
  }
}

/** What a body may have at most: a long text in a script that takes 12 bytes a character when it is sent. */
const LARGEST = 100 * 1024

/**
 * The form of a POST on `ctx.state.form`. Whatever else a body may be is refused here, before any handler: no form (415), another character
 * set (415), too large (413), wrongly encoded or a name that comes twice (400).
 */
export const forms = async function formsLayer(ctx: ParameterizedContext, next: Next): Promise<void> {
  ctx.state.form = ctx.method === 'POST' ? await readForm(ctx) : new Form()
  await next()
} as Layer<never, 'forms', { readonly form: Form }, unknown>

async function readForm(ctx: ParameterizedContext): Promise<Form> {
  const { 'content-encoding': encoding = 'identity' } = ctx.req.headers
  const body = await readBody(ctx.req).catch(() => ctx.throw(400, 'The form did not arrive whole.'))
  if (body === 'too large') ctx.throw(413, 'This is too much text for one form.')
  if (body.length === 0) return new Form()
  if (ctx.is('application/x-www-form-urlencoded') === false) ctx.throw(415, 'This address takes forms only.')
  if (encoding !== 'identity') ctx.throw(415, 'This address takes forms that are not compressed.')
  if (!/^(utf-?8)?$/i.test(ctx.request.charset)) ctx.throw(415, 'This address takes forms in UTF-8 only.')
  const form = parseForm(body)
  if (typeof form === 'string') ctx.throw(400, form)
  return form
}

/** Reads to the end in any case: a browser shows an answer only after it has sent everything. */
async function readBody(request: IncomingMessage): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size <= LARGEST) chunks.push(chunk)
    else chunks.length = 0
  }
  return size <= LARGEST ? Buffer.concat(chunks) : 'too large'
}

/** The form, or what is wrong with it. */
function parseForm(body: Buffer): Form | string {
  const fields = new Map<string, string>()
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    for (const pair of text.split('&')) {
      if (pair === '') continue
      const [name = '', ...rest] = pair.split('=')
      const key = decodePart(name)
      if (fields.has(key)) return 'A field of the form came more than once.'
      fields.set(key, decodePart(rest.join('=')))
    }
  } catch {
    return 'The form was not encoded correctly.'
  }
  return new Form(fields)
}

function decodePart(part: string): string {
  return decodeURIComponent(part.replaceAll('+', ' '))
}

import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import Koa, { type Middleware } from 'koa'
import { forceHttps } from '../../lib/sharing/force-https.ts'

export interface PagesAnswer {
  status: number
  headers: http.IncomingHttpHeaders
  bytes: Buffer
}

export interface PagesApp {
  app: Koa
  port: number
  /** Asks as a proxy that was asked over https. */
  get(options?: http.RequestOptions): Promise<PagesAnswer>
}

/** An app behind a proxy that ends TLS; `forceHttps()` stands around the given middleware. */
export async function startPagesApp(t: ExecutionContext, ...pages: Middleware[]): Promise<PagesApp> {
  const app = new Koa({ proxy: true })
  app.silent = true
  app.use(forceHttps())
  for (const page of pages) app.use(page)
  const server = http.createServer(app.callback())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { app, port, get: options => answerTo(asked(port, options)) }
}

/** A request to such an app, under way. */
export function asked(port: number, options: http.RequestOptions = {}): http.ClientRequest {
  const headers = { 'X-Forwarded-Proto': 'https', ...(options.headers as http.OutgoingHttpHeaders) }
  return http.request({ port, host: '127.0.0.1', agent: false, ...options, headers }).end()
}

async function answerTo(request: http.ClientRequest): Promise<PagesAnswer> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode!, headers: response.headers, bytes: Buffer.concat(chunks) }
}

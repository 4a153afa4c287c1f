import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { proxyConfiguration } from '../../recipes/behind-nginx/proxy.ts'
import { makeCertificate } from '../servers/certificate.ts'
import { newFolder } from '../servers/folder.ts'
import { startNginx } from '../servers/nginx.ts'
import { Browser } from '../sessions/app.ts'

/** What is in the file that nginx protects, at /documents/minutes.txt. */
export const MINUTES = 'The minutes are for members.'
const HEADERS = new URL('../../recipes/behind-nginx/choir-headers.conf', import.meta.url)

/** What an nginx stands in front of. */
export interface ProtectedSiteOptions {
  /** The port of the app that nginx asks. */
  app: number
  /** The port of the program that it asks for: below /archive/. */
  archive: number
  /** What to leave out of the recipe's configuration, for a control. @default nothing */
  without?: readonly string[]
}

/** An nginx that protects a folder and a program as recipes/behind-nginx has it, over plain http. */
export interface ProtectedSite {
  readonly origin: string
  /** Somebody new who goes through nginx. */
  browser(): Browser
}

export async function startProtectedSite(
  t: ExecutionContext,
  { app, archive, without = [] }: ProtectedSiteOptions,
): Promise<ProtectedSite> {
  const certificate = await makeCertificate()
  const root = newFolder('protected')
  mkdirSync(join(root, 'documents'))
  writeFileSync(join(root, 'documents', 'minutes.txt'), MINUTES)
  const nginx = await startNginx(t, {
    morePorts: 1,
    http({ port, morePorts: [redirecting], folder }) {
      const [staff, headers] = [join(folder, 'staff'), join(folder, 'headers')]
      writeFileSync(staff, '')
      writeFileSync(headers, pruned(readFileSync(HEADERS, 'utf8')))
      return pruned(
        proxyConfiguration({
          http: [`127.0.0.1:${redirecting}`],
          https: [`127.0.0.1:${port}`],
          origin: `http://127.0.0.1:${port}`,
          apps: [app],
          ...{ archive, certificate, staff, root, headers },
        }),
      )
    },
  })
  const agent = new http.Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  return { origin: nginx.url, browser: () => new Browser(nginx.port, agent) }

  function pruned(text: string): string {
    return without.reduce((left, line) => left.replaceAll(line, ''), text)
  }
}

/** What a program behind nginx has received. */
export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: http.IncomingHttpHeaders
  /** Names and values of the header, as they came. */
  readonly raw: readonly string[]
  readonly body: Buffer
}

/** A program without any framework, and all that it has received. @param answer what it says @default 200 and a word */
export async function startProgram(
  t: ExecutionContext,
  answer: http.RequestListener = (_, response) => response.end('the archive'),
): Promise<{ port: number; received: Received[] }> {
  const received: Received[] = []
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    const { method = '', url = '', headers, rawHeaders: raw } = request
    received.push({ method, url, headers, raw, body })
    answer(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, received }
}

/** A port of the loopback at which whoever connects is refused. */
export async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

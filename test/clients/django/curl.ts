import { join } from 'node:path'
import { newFolder } from '../../servers/folder.ts'
import { requireProgram, runProgram } from '../programs.ts'
import type { Client, Shown } from './client.ts'

/** What curl writes behind a page: its status, and where it leads to. */
const TRAILER = '\n%{http_code} %{redirect_url}'

/** curl with a file of cookies. It is led on by hand: with `--location`, curl 7.88 puts back the cookies that a redirect has removed. */
export const curl: Client = {
  name: 'curl',

  async start() {
    const program = requireProgram('curl')
    const jar = join(newFolder('curl'), 'cookies')
    const run = async (url: string, ...options: string[]): Promise<Shown> => {
      const always = ['--silent', '--show-error', '--cookie', jar, '--cookie-jar', jar, '--write-out', TRAILER]
      const { code, stdout, stderr } = await runProgram(program, [...always, ...options, url])
      if (code !== 0) throw new Error(stderr)
      const end = stdout.lastIndexOf('\n')
      const [status, next = ''] = stdout.slice(end + 1).split(' ')
      return next ? run(next) : { url, status: Number(status), text: stdout.slice(0, end) }
    }
    return {
      open: url => run(url),
      async submit(url, fields = {}) {
        const { text } = await run(url)
        const [, action = ''] = /<form[^>]* action="([^"]*)"/.exec(text) ?? []
        const hidden = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
        const sent = { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...fields }
        const data = Object.entries(sent).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`])
        return run(new URL(action, url).href, ...data)
      },
    }
  },
}

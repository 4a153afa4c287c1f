import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** A folder with these files, which is gone after the test. */
export function tree(t: ExecutionContext, files: Record<string, string | object>): string {
  const root = mkdtempSync(join(tmpdir(), 'koa-strata-check-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, content] of Object.entries({ 'package.json': { name: 'made-up', type: 'module' }, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return root
}

import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readCard, writeCard } from '../../../../lib/cli/doctor/card/file.ts'
import { deployment, drawn } from '../deployment.ts'

async function folder(t: ExecutionContext) {
  const path = await mkdtemp(join(tmpdir(), 'strata-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

test('A card is a file of its user alone, also where another one was open to all, and nothing is left beside it.', async t => {
  const path = join(await folder(t), 'shop.json')
  const { card } = await drawn(deployment())
  for (const before of ['nothing', 'a file for all']) {
    if (before !== 'nothing') await chmod(path, 0o666)
    await writeCard(path, card)
    t.is((await stat(path)).mode & 0o777, 0o600, before)
    t.deepEqual(await readCard(path), card)
  }
  t.deepEqual(await readdir(join(path, '..')), ['shop.json'])
})

test('A card is written over files alone: no link, folder or device gives way to it.', async t => {
  const here = await folder(t)
  const { card } = await drawn(deployment())
  await writeFile(join(here, 'mine'), 'precious')
  await symlink(join(here, 'mine'), join(here, 'link'))
  for (const path of [join(here, 'link'), here, '/dev/null'])
    await t.throwsAsync(writeCard(path, card), { message: 'what is there is no file.' }, path)
  t.is(await readFile(join(here, 'mine'), 'utf8'), 'precious')
  await t.throwsAsync(writeCard(join(here, 'none', 'shop.json'), card), { code: 'ENOENT' })
  t.deepEqual((await readdir(here)).sort(), ['link', 'mine'])
})

test('A file that is not there, or too large, is no card.', async t => {
  const path = join(await folder(t), 'shop.json')
  await t.throwsAsync(readCard(path), { code: 'ENOENT' })
  const { card, text } = await drawn(deployment())
  await writeFile(path, text.padEnd(262_144))
  t.deepEqual(await readCard(path), card)
  await writeFile(path, text.padEnd(262_145))
  await t.throwsAsync(readCard(path), { message: 'it is too large for a card.' })
  await t.throwsAsync(readCard('/dev/zero'), { message: 'it is too large for a card.' })
})

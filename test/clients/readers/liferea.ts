import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { escapeHtml } from '../../../recipes/job-board/web/html.ts'
import { requireProgram, runProgram } from '../programs.ts'
import { Background } from './background.ts'
import { startDesktop } from './desktop.ts'
import type { FeedReader, Place, PrivateFeed } from './reader.ts'
import { titlesInSqlite } from './sqlite.ts'

/** How long liferea may take to start, in milliseconds. */
const PATIENCE = 60_000
/** How long it may take from an order to the answer that it gets, likewise. An order is lost on it while it still reads the answer before. */
const TAKES = 5_000
const MOST_ORDERS = 6

/** liferea, which is told over the session bus when to poll. */
export const liferea: FeedReader = {
  name: 'liferea',
  secret: 'in the properties of the subscription',

  async subscribe(feed, place) {
    const program = requireProgram('liferea')
    const send = requireProgram('dbus-send', { debianPackage: 'dbus' })
    await configure(feed, place)
    const environment = await startDesktop(place)
    await Background.start(place, program, ['--mainwindow-state=hidden'], environment)
    /** Whether it took an order. */
    const order = async (method: string) => {
      const options = ['--session', '--print-reply', '--dest=org.gnome.feed.Reader', '/org/gnome/feed/Reader']
      const { code } = await runProgram(send, [...options, `org.gnome.feed.Reader.${method}`], environment)
      return code === 0
    }
    const deadline = performance.now() + PATIENCE
    while (!(await order('Ping'))) {
      if (performance.now() > deadline) throw new Error('liferea did not start.')
      await wait(50)
    }
    return {
      async poll() {
        for (let orders = 1; orders <= MOST_ORDERS; orders++) {
          const answered = place.witness.answersWithin(TAKES)
          await order('Refresh')
          if (await answered) return
        }
        throw new Error(`liferea did not ask for the feed, at ${MOST_ORDERS} orders.`)
      },
      titles: () => titlesInSqlite(join(place.home, '.local', 'share', 'liferea', 'liferea.db'), 'items'),
    }
  },
}

/** As liferea itself writes it. Plugins would want further packages. */
async function configure({ address, username, password }: PrivateFeed, { home }: Place): Promise<void> {
  const [own, settings] = [join(home, '.config', 'liferea'), join(home, '.config', 'glib-2.0', 'settings')]
  for (const folder of [own, settings]) await mkdir(folder, { recursive: true })
  const secret = `username="${escapeHtml(username)}" password="${escapeHtml(password)}"`
  const outline = `<outline text="Openings" title="Openings" type="atom" id="openings" xmlUrl="${escapeHtml(address)}" ${secret}/>`
  await writeFile(
    join(own, 'feedlist.opml'),
    `<?xml version="1.0" encoding="UTF-8"?>\n<opml version="1.0"><body>${outline}</body></opml>\n`,
    { mode: 0o600 },
  )
  await writeFile(join(settings, 'keyfile'), '[org/gnome/liferea]\nactive-plugins=@as []\n')
}

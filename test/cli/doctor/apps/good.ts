import knexFactory from 'knex'
import Koa from 'koa'
import { sessions, stack } from 'koa-strata'
import { sqlStore } from 'koa-strata/stores/sql'

// What an application prints is not a finding.
console.log('starting')
process.on('exit', () => console.log('ending'))

const { SITE_DATABASE = '', SITE_KEYS = '' } = process.env
const database = knexFactory({
  client: 'better-sqlite3',
  connection: { filename: SITE_DATABASE },
  useNullAsDefault: true,
})
// It has things open that only it could close.
setInterval(() => {}, 1000)

/** An application that is as it should be. */
export const app = new Koa({ keys: SITE_KEYS.split(',') })
// A busy machine is no finding either.
app.use(stack(sessions({ store: sqlStore(database), deadline: 60_000 })))

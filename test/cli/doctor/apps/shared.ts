import knexFactory from 'knex'
import Koa from 'koa'
import { type SessionStore, sessions, stack, users } from 'koa-strata'
import { sqlUsers } from 'koa-strata/sql'
import { fileStore } from 'koa-strata/stores/file'
import { redisStore } from 'koa-strata/stores/redis'
import { sqlStore } from 'koa-strata/stores/sql'

const { SITE_KEYS = '', SITE_DOMAIN, SITE_STORE = '', SITE_PREFIX, SITE_DATABASE = '' } = process.env

/** An application whose environment says with whom it shares its login. */
const app = new Koa({ keys: SITE_KEYS.split(',') })
app.use(
  stack(
    sessions({ store: await storeAt(SITE_STORE), cookie: { domain: SITE_DOMAIN } }),
    users({ backends: [sqlUsers(databaseAt(SITE_DATABASE))] }),
  ),
)

export default app

async function storeAt(url: string): Promise<SessionStore> {
  if (url.startsWith('file:')) return fileStore(url.slice('file:'.length))
  if (!url.startsWith('redis:')) return sqlStore(databaseAt(url))
  const { createClient } = await import('redis')
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  return redisStore(client, { prefix: SITE_PREFIX })
}

function databaseAt(url: string) {
  if (url.startsWith('mysql:')) return knexFactory({ client: 'mysql2', connection: url })
  return knexFactory({
    client: 'better-sqlite3',
    connection: { filename: url.slice('sqlite:'.length) },
    useNullAsDefault: true,
  })
}

import { startMariadb } from '../servers/mariadb.ts'
import { testFaults } from './sql-faults.ts'

/** Whoever this file's server belongs to ends it. */
const file = { teardown() {} }

testFaults('mariadb', {
  start: () => startMariadb(file),
  async cutConnections(admin) {
    const others = await admin('information_schema.processlist')
      .whereRaw('db = database() and id <> connection_id()')
      .pluck('id')
    for (const id of others) await admin.raw('kill connection ?', id).catch(() => {})
  },
  async appUrl(admin, url) {
    // Who may do everything may also write to what is read-only.
    await admin.raw("create user if not exists app@'127.0.0.1' identified by 'app'")
    await admin.raw("grant all on strata.* to app@'127.0.0.1'")
    return url.replace('strata:strata@', 'app:app@')
  },
  setReadOnly: (admin, readOnly) => admin.raw(`set global read_only = ${readOnly ? 1 : 0}`),
  lockSessions: trx => trx.raw('lock tables sessions write'),
  async unlock(trx) {
    await trx.raw('unlock tables')
    await trx.commit()
  },
  connections: async admin => (await admin('information_schema.processlist').count('* as all'))[0]!.all as number,
  async moveSessions(admin, directory) {
    const [[{ 'Create Table': definition }]] = await admin.raw('show create table sessions')
    await admin.schema.dropTable('sessions')
    await admin.raw(`${definition} data directory = '${directory}'`)
  },
  diskFull: 'ER_RECORD_FILE_FULL',
})

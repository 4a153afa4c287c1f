import { startPostgresql } from '../servers/postgresql.ts'
import { testFaults } from './sql-faults.ts'

/** Whoever this file's server belongs to ends it. */
const file = { teardown() {} }

testFaults('postgresql', {
  start: () => startPostgresql(file),
  cutConnections: admin =>
    admin.raw(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    ),
  appUrl: async (_admin, url) => url,
  async setReadOnly(admin, readOnly) {
    await admin.raw(`alter system set default_transaction_read_only = ${readOnly ? 'on' : 'off'}`)
    await admin.raw('select pg_reload_conf()')
  },
  lockSessions: trx => trx.raw('lock table sessions in access exclusive mode'),
  unlock: trx => trx.commit(),
  connections: async admin =>
    Number((await admin('pg_stat_activity').whereNotNull('datname').count('* as all'))[0]!.all),
  async moveSessions(admin, directory) {
    await admin.raw(`create tablespace small location '${directory}'`)
    await admin.raw('alter table sessions set tablespace small')
  },
  diskFull: '53100',
})

import test from 'ava'
import { databaseRecords } from '../../lib/django/database-records.ts'
import { DjangoSessionForm } from '../../lib/django/session-form.ts'
import { sessionKeys } from '../../lib/django/session-key.ts'
import { DjangoKeys, DjangoSigning } from '../../lib/django/signing.ts'
import { DATABASES, newDatabase } from '../database/servers.ts'
import { startDjango } from '../servers/django.ts'
import { SESSION_TABLE } from './session-table.ts'

const WHERE = 'djangoSessions()'

/** The statements with which Django makes its table. */
const TABLE = `
from io import StringIO
from django.core.management import call_command
out = StringIO()
call_command('sqlmigrate', 'sessions', '0001', no_color=True, stdout=out)
answer(out.getvalue())`

/** Django writes a session that ends at a moment, and says what it has put into the row. */
const WRITE = `
from datetime import datetime, timezone
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
end = datetime.fromtimestamp(given['seconds'], timezone.utc).replace(microsecond=given['microseconds'])
session = SessionStore()
session['text'] = given['text']
session.get_expiry_date = lambda: end
session.save()
row = Session.objects.get(pk=session.session_key)
answer([row.session_key, row.session_data])`

/** What Django reads, and when that ends for it, in microseconds. */
const READ = `
from datetime import datetime, timedelta, timezone
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
data = SessionStore(given).load()
row = Session.objects.filter(pk=given).first()
since = row and (row.expire_date - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)
answer([data, since])`

for (const name of DATABASES) {
  test(`${name}: what Django writes is read to the byte and the millisecond, and what is written here is read there.`, async t => {
    const database = await newDatabase(t, name)
    const site = await startDjango(t, { database, migrate: false })
    const made = String(await site.run(TABLE))
    const statements = made.split('\n').filter(line => line.startsWith('CREATE'))
    t.deepEqual(
      statements,
      SESSION_TABLE[name].map(statement => `${statement};`),
    )
    const knex = database.open()
    for (const statement of SESSION_TABLE[name]) await knex.raw(statement)

    const records = databaseRecords(WHERE, knex)
    const keys = new DjangoKeys(WHERE, { secretKey: site.secretKey })
    const form = new DjangoSessionForm(new DjangoSigning(keys, 'django.contrib.sessions.SessionStore'), {
      backend: 'django',
      authenticationBackends: ['django.contrib.auth.backends.ModelBackend'],
    })
    const seconds = Math.floor(Date.now() / 1000) + 3600
    for (const [microseconds, milliseconds] of [
      [0, 0],
      [1, 0],
      [1000, 1],
      [999_999, 999],
    ] as const) {
      const given = { seconds, microseconds, text: 'Ä ☃ 🦊' }
      const [key, text] = (await site.run(WRITE, given)) as [string, string]
      t.deepEqual(await records.read(key), { text, expiresAt: seconds * 1000 + milliseconds })
      t.is(form.read(text)?.data.text, given.text)

      const changed = form.write({ _created: 0, text: 'changed ☃' }, Date.now())
      const later = (seconds + 60) * 1000 + milliseconds
      t.is(await records.swap(key, text, { text: changed, expiresAt: later }), 'swapped')
      t.deepEqual(await site.run(READ, key), [{ text: 'changed ☃' }, later * 1000])
      t.true(await records.touch(key, later + 1))
      t.deepEqual(await site.run(READ, key), [{ text: 'changed ☃' }, (later + 1) * 1000])
      const added = sessionKeys.newId()
      t.true(await records.add(added, { text, expiresAt: later }))
      t.like(await site.run(READ, added), [{ text: given.text }, later * 1000])
      t.is(await records.remove(key, changed), 'removed')
      t.deepEqual(await site.run(READ, key), [{}, null])
    }
  })
}

import test, { type ExecutionContext } from 'ava'
import { LONG, scaled } from '../scale.ts'
import { file } from '../servers/file-owner.ts'
import { type Gate, gate } from '../sessions/app.ts'
import { Pair, type PairVisitor } from './interop/pair.ts'
import { bothAtOnce, naiveWriter } from './interop/race.ts'
import { type Stage, THOROUGH, wayOf } from './interop/ways.ts'

const NAMES = ['db on sqlite', 'db on mariadb', ...(THOROUGH ? ['db on postgresql'] : [])]
const stages = new Map<string, Stage>()

test.before(async () => {
  for (const stage of await Promise.all(NAMES.map(name => wayOf(name).start(file)))) stages.set(stage.way.name, stage)
})

/** A pair whose application stops in '/held?gate=…' after it has read the session, and changes it once the gate is open. */
async function startHeld(t: ExecutionContext, name: string) {
  t.timeout(LONG)
  const gates = new Map<string, Gate>()
  const pair = await Pair.start(t, stages.get(name)!, {
    handlers: {
      async '/held'(ctx) {
        const { gate: key } = ctx.query
        const before = ctx.session.toJSON()
        await gates.get(String(key))!.pass()
        ctx.session[String(key)] = true
        return before
      },
      async '/count'(ctx) {
        await ctx.updateSession(draft => {
          draft.count = (draft.count ?? 0) + 1
        })
        return ctx.session.count
      },
    },
  })
  /** Has a request here read the session, something else happen, and then the request change what it has read. */
  const around = async (visitor: PairVisitor, key: string, task: () => Promise<unknown>) => {
    const held = gate()
    gates.set(key, held)
    const answer = visitor.copy().here(`/held?gate=${encodeURIComponent(key)}`)
    await held.reached
    await task().finally(() => held.open())
    return answer
  }
  return { pair, around }
}

/** Has Django keep so many sessions of somebody who is logged in, and answers their keys. */
async function keepMany({ stage: { site } }: Pair, id: string, count: number): Promise<string[]> {
  const code = `
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
user = User.objects.get(pk=given['id'])
def keep():
    session = SessionStore()
    session.update({
        '_auth_user_id': str(user.pk),
        '_auth_user_backend': 'django.contrib.auth.backends.ModelBackend',
        '_auth_user_hash': user.get_session_auth_hash(),
    })
    session.save()
    return session.session_key
with transaction.atomic():
    answer([keep() for _ in range(given['count'])])`
  return (await site.run(code, { id, count })) as string[]
}

/** How many sessions in Django's table hold a login of somebody. */
async function loginsOf({ stage: { site } }: Pair, id: string): Promise<number> {
  const code = `
from django.contrib.sessions.models import Session
answer(sum(session.get_decoded().get('_auth_user_id') == given for session in Session.objects.all()))`
  return Number(await site.run(code, id))
}

for (const name of NAMES) {
  test.serial(
    `django ${name}: Of changes from both sides at once, no change of Django's is lost, and of this library's only those that Django overwrites.`,
    async t => {
      const { pair } = await startHeld(t, name)
      const visitor = await pair.loggedIn(await pair.person())
      const count = scaled(1000)
      const { lostThere, lostHere, unexplained } = await bothAtOnce(visitor, count)
      t.log(
        `of ${count} changes from each side at once: ${lostThere} of Django's lost, ${lostHere} of ours, overwritten by Django`,
      )
      t.deepEqual({ lostThere, unexplained }, { lostThere: 0, unexplained: 0 })
      t.deepEqual(pair.takeFaults(), [])
    },
  )

  test.serial(
    `S2: django ${name}: A logout on either side in the middle of changes on the other is final: no session is revived; the control, which compares nothing, revives it.`,
    async t => {
      const { pair, around } = await startHeld(t, name)
      const person = await pair.person()
      const rounds = scaled(1000)
      const cookies = await keepMany(pair, person.id, rounds)
      t.is(await loginsOf(pair, person.id), rounds)
      const logOutThere = (visitor: PairVisitor) => visitor.copy().there('/session', { flush: true })
      let late = 0
      const runs = [
        // Django's logout, while a request here has the session.
        async (visitor: PairVisitor) => {
          const answer = await around(visitor, `held ${visitor.cookie}`, () => logOutThere(visitor))
          late += answer.headers.getSetCookie().length
        },
        // Django's logout, at the same time as changes here.
        (visitor: PairVisitor) =>
          Promise.all([
            visitor.copy().here('/session', { set: { mark: 1 } }),
            visitor.copy().here('/update', { set: { mark: 2 } }),
            logOutThere(visitor),
          ]),
        // A logout here, at the same time as changes on both sides.
        (visitor: PairVisitor) =>
          Promise.all([
            visitor.copy().there('/count', {}),
            visitor.copy().here('/session', { set: { mark: 1 } }),
            visitor.copy().here('/logout', {}),
          ]),
      ]
      for (const [index, cookie] of cookies.entries()) await runs[index % runs.length]!(pair.visitor(cookie))
      t.is(await loginsOf(pair, person.id), 0)
      t.is(late, 0, 'no cookie is sent over the logout')
      t.deepEqual(pair.takeFaults(), [])

      const naive = naiveWriter(pair.stage)
      const visitor = await pair.loggedIn(person)
      const row = await naive.read(visitor.cookie)
      await logOutThere(visitor)
      await naive.write(row, 'mark')
      t.is(await loginsOf(pair, person.id), 1)
      await visitor.is(person.name)
    },
  )
}

// Neither depends on the database.
for (const name of THOROUGH ? NAMES : NAMES.slice(0, 1)) {
  test.serial(
    `django ${name}: Of changes that this library makes of one session, all at once, none is lost.`,
    async t => {
      const { pair } = await startHeld(t, name)
      const visitor = await pair.loggedIn(await pair.person())
      const count = scaled(1000)
      await Promise.all(Array.from({ length: count }, () => visitor.here('/count', {})))
      t.is((await visitor.dataThere()).count, count)
      t.deepEqual(pair.takeFaults(), [])
    },
  )

  test.serial(`django ${name}: Of changes from both sides in turns, none is lost.`, async t => {
    const { pair } = await startHeld(t, name)
    const visitor = await pair.loggedIn(await pair.person())
    const [rounds, each] = [scaled(100), 5]
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: each }, () => visitor.here('/count', {})))
      await visitor.there('/count', {})
    }
    const { count, django } = await visitor.dataThere()
    t.deepEqual([count, django], [rounds * each, rounds])
  })

  test.serial(
    `django ${name}: What Django changes while a request here has the session is kept beside what that request changes; the control, which compares nothing, loses it.`,
    async t => {
      const { pair, around } = await startHeld(t, name)
      const visitor = await pair.loggedIn(await pair.person())
      const rounds = 20
      for (let round = 0; round < rounds; round++)
        await around(visitor, `here ${round}`, () => visitor.there('/session', { set: { [`there ${round}`]: true } }))
      const data = Object.keys(await visitor.dataThere())
      t.is(data.filter(key => /^(?:here|there) /.test(key)).length, 2 * rounds)

      const naive = naiveWriter(pair.stage)
      for (let round = 0; round < rounds; round++) {
        const row = await naive.read(visitor.cookie)
        await visitor.there('/session', { set: { [`lost ${round}`]: true } })
        await naive.write(row, `naive ${round}`)
      }
      const after = Object.keys(await visitor.dataThere())
      t.deepEqual(
        [after.filter(key => key.startsWith('lost')), after.filter(key => key.startsWith('naive')).length],
        [[], rounds],
      )
    },
  )
}

import type { Knex } from 'knex'
import { DjangoSessionForm } from '../../../lib/django/session-form.ts'
import { DjangoKeys, DjangoSigning } from '../../../lib/django/signing.ts'
import type { PairVisitor } from './pair.ts'
import { MODEL_BACKEND, type Stage } from './ways.ts'

/** What has become of changes from both sides, each of a key of its own. */
export interface Outcome {
  /** Django's that were acknowledged and are not there. */
  readonly lostThere: number
  /** This library's, likewise. */
  readonly lostHere: number
  /** Those of them that Django did not overwrite with what it had read before them. */
  readonly unexplained: number
}

interface Change {
  readonly key: string
  readonly begun: number
  readonly ended: number
}

/** A request of Django's that has stored a session whole. */
interface Whole extends Change {
  /** What it stored. */
  readonly data: Readonly<Record<string, unknown>>
}

/** How many requests of this side are under way at once. */
const LANES = 8

/**
 * Has both sides make `count` changes of one session each: here several at once, by `ctx.updateSession`, there one after the other, since Django's
 * own requests lose each other's changes.
 */
export async function bothAtOnce(visitor: PairVisitor, count: number): Promise<Outcome> {
  const here: Change[] = []
  const there: Whole[] = []
  const changeHere = async (lane: number) => {
    for (let index = lane; index < count; index += LANES) {
      const [key, begun] = [`here ${index}`, performance.now()]
      const { stored } = (await visitor.here('/update', { set: { [key]: true } })).json
      if (stored) here.push({ key, begun, ended: performance.now() })
    }
  }
  const changeThere = async () => {
    for (let index = 0; index < count; index++) {
      const [key, begun] = [`there ${index}`, performance.now()]
      const { data } = (await visitor.there('/session', { set: { [key]: true } })).json
      there.push({ key, data, begun, ended: performance.now() })
    }
  }
  await Promise.all([changeThere(), ...Array.from({ length: LANES }, (_, lane) => changeHere(lane))])
  if (here.length + there.length !== 2 * count)
    throw new Error(`${here.length} + ${there.length} of 2 × ${count} changes`)
  const final = await visitor.dataThere()
  const lost = (changes: readonly Change[]) => changes.filter(({ key }) => !Object.hasOwn(final, key))
  const isOverwritten = ({ key, begun, ended }: Change) =>
    there.some(whole => whole.begun < ended && whole.ended > begun && !Object.hasOwn(whole.data, key))
  const lostHere = lost(here)
  return {
    lostThere: lost(there).length,
    lostHere: lostHere.length,
    unexplained: lostHere.filter(change => !isOverwritten(change)).length,
  }
}

/** What an application would do that knew Django's sessions and compared nothing: for controls. */
export function naiveWriter({ site, knex }: Stage) {
  const keys = new DjangoKeys('test', { secretKey: site.secretKey })
  const form = new DjangoSessionForm(new DjangoSigning(keys, 'django.contrib.sessions.SessionStore'), {
    backend: 'django',
    authenticationBackends: [MODEL_BACKEND],
  })
  const rows = (): Knex.QueryBuilder => knex('django_session')
  return {
    read: (key: string): Promise<Record<string, unknown>> => rows().where({ session_key: key }).first(),
    /** Writes what was read, with a change. */
    async write(row: Record<string, unknown>, name: string): Promise<void> {
      const { data } = form.read(String(row.session_data))!
      data[name] = true
      const written = { ...row, session_data: form.write(data, Date.now()) }
      await rows().insert(written).onConflict('session_key').merge()
    },
  }
}

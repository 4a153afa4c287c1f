import { createHmac, hash, randomBytes } from 'node:crypto'
import { TooManyAttempts } from '../../errors.ts'
import { publish } from '../../events.ts'
import { Recent } from '../../recent.ts'
import type { Credentials } from '../backend.ts'
import type { FailureCounters, FailureLimit } from './counters.ts'
import { type Outcome, Reservations } from './reservations.ts'
import { accountOf, networkOf } from './whereabouts.ts'

/** What a throttle is made with. */
export interface ThrottleSetting {
  readonly counters: FailureCounters
  readonly perClient: FailureLimit
  readonly perAccount: FailureLimit
  readonly perNetwork: FailureLimit
  /** For how many milliseconds a network is familiar to an account that has logged in from it. */
  readonly familiarFor: number
}

/** What somebody tries to log in with, and from where. */
export interface Guess {
  readonly credentials: Credentials
  readonly ip: string
  /** The browser that asks, where this account has logged in with it before. */
  deviceFor(account: string): string | null
}

/** How a login went; 'undecided' where that could not be found out. */
export type Verdict = 'succeeded' | 'failed' | 'undecided'

/** A login that is being looked at. */
export interface Attempt {
  /** The account that it is for; null where the credentials have no name. */
  readonly account: string | null
  /** To be called once, when it is over. */
  settle(verdict: Verdict): Promise<void>
}

type LimitName = 'client' | 'account' | 'network'

interface Reserved {
  readonly name: LimitName
  readonly key: string
  readonly limit: FailureLimit
  /** What becomes of it when the login succeeds. */
  readonly onSuccess: Outcome
}

interface Refusal {
  readonly name: LimitName
  /** In how many milliseconds there will be room. */
  readonly over: number
}

/** Who is asking, by the keys that it is counted under. */
interface Party {
  readonly account: string | null
  readonly isDevice: boolean
  readonly clientKey: string
  readonly accountKey: string
  readonly networkKey: string
  readonly repeatsKey: string
  readonly familiarKey: string
}

/** How many wrong guesses are remembered: some megabytes of them. */
const MOST_WRONG = 20_000
/** Which part of its time passes until the mark of a familiar network is set anew. */
const RENEWED_AFTER = 1 / 30

/**
 * Limits failed logins, before anything is hashed. Each counts for the client, which is the account together with the network, or with the browser
 * that the account knows. Unless the client is familiar to the account it also counts for the account, from wherever, and for the network, to
 * whatever account. A guess that is known to be wrong, or is being looked at already, counts for the network alone, and apart from others: a
 * reader repeats an old password for weeks.
 */
export class Throttle {
  readonly #setting: ThrottleSetting
  readonly #reservations: Reservations
  readonly #secret = randomBytes(32)
  /** The guesses that were wrong, by their HMAC. */
  readonly #wrong = new Recent<true>(MOST_WRONG)
  /** The guesses that are being looked at, if they may be. */
  readonly #underway = new Map<string, Promise<Reserved[] | Refusal>>()

  constructor(setting: ThrottleSetting) {
    this.#setting = setting
    this.#reservations = new Reservations(setting.counters)
  }

  /** Lets a login be looked at. @throws TooManyAttempts */
  async admit(asked: Guess): Promise<Attempt> {
    const { credentials, ip } = asked
    const party = partyOf(asked)
    const guess = this.#hmac(party.clientKey, credentials)
    const underway = this.#underway.get(guess)
    const isFirst = !underway && !this.#wrong.get(guess)
    const reserved = isFirst ? await this.#reserveFirst(guess, party) : await this.#reserveRepeat(underway, party)
    if (!Array.isArray(reserved)) {
      publish('koa-strata:throttled', { limit: reserved.name, ip })
      throw new TooManyAttempts(Math.ceil(reserved.over / 1000))
    }
    return {
      account: party.account,
      settle: async verdict => {
        // Before anybody else is told that it is over, who would be a first one otherwise.
        if (verdict === 'failed') this.#wrong.set(guess, true)
        if (verdict === 'succeeded') this.#wrong.delete(guess)
        if (isFirst) this.#underway.delete(guess)
        await this.#release(reserved, verdict)
        if (verdict === 'succeeded' && party.account !== null) await this.#welcome(party)
      },
    }
  }

  async #reserveFirst(guess: string, party: Party): Promise<Reserved[] | Refusal> {
    const answer = this.#reserve(party)
    this.#underway.set(guess, answer)
    const reserved = await answer
    if (!Array.isArray(reserved)) this.#underway.delete(guess)
    return reserved
  }

  async #reserveRepeat(
    underway: Promise<Reserved[] | Refusal> | undefined,
    party: Party,
  ): Promise<Reserved[] | Refusal> {
    const first = await underway
    if (first && !Array.isArray(first)) return first
    return this.#reserveAll([networkLimit(party.repeatsKey, this.#setting)])
  }

  async #reserve(party: Party): Promise<Reserved[] | Refusal> {
    const { counters, perClient, perAccount } = this.#setting
    const network = networkLimit(party.networkKey, this.#setting)
    if (party.account === null) return this.#reserveAll([network])
    const [held, familiar] = await Promise.all([
      // Those who fail before, from a network or a browser that has now shown whose it is, are the same (NIST SP 800-63B-4 §3.2.2).
      this.#reserveAll([{ name: 'client', key: party.clientKey, limit: perClient, onSuccess: 'clear' }]),
      party.isDevice || counters.marked(party.familiarKey),
    ])
    if (familiar || !Array.isArray(held)) return held
    const account = { name: 'account', key: party.accountKey, limit: perAccount, onSuccess: 'take back' } as const
    return this.#reserveAll([account, network], held)
  }

  /** Reserves under all these limits, or under none: what is held already is given back then. */
  async #reserveAll(wanted: Reserved[], held: Reserved[] = []): Promise<Reserved[] | Refusal> {
    const overs = await Promise.all(wanted.map(({ key, limit }) => this.#reservations.reserve(key, limit)))
    const reserved = [...held, ...wanted.filter((_, index) => overs[index] === 0)]
    const over = Math.max(...overs)
    if (over === 0) return reserved
    await this.#release(reserved, 'undecided')
    return { name: wanted[overs.indexOf(over)]!.name, over }
  }

  async #release(reserved: Reserved[], verdict: Verdict): Promise<void> {
    await Promise.all(
      reserved.map(({ key, limit, onSuccess }) => {
        const outcome = { succeeded: onSuccess, failed: 'keep', undecided: 'take back' } as const
        return this.#reservations.settle(key, limit, outcome[verdict])
      }),
    )
  }

  /** Has the network be familiar to the account from now on. */
  async #welcome({ familiarKey }: Party): Promise<void> {
    const { counters, familiarFor } = this.#setting
    const left = await counters.marked(familiarKey)
    if (left <= familiarFor * (1 - RENEWED_AFTER)) await counters.mark(familiarKey, familiarFor)
  }

  #hmac(clientKey: string, credentials: Credentials): string {
    const text = JSON.stringify([clientKey, credentials])
    return createHmac('sha256', this.#secret).update(text).digest('base64')
  }
}

function networkLimit(key: string, { perNetwork }: ThrottleSetting): Reserved {
  return { name: 'network', key, limit: perNetwork, onSuccess: 'take back' }
}

function partyOf({ credentials, ip, deviceFor }: Guess): Party {
  const account = typeof credentials.username === 'string' ? accountOf(credentials.username) : null
  const network = networkOf(ip)
  const device = account === null ? null : deviceFor(account)
  const keyOf = (kind: string, ...parts: (string | null)[]) =>
    `${kind}:${hash('sha256', JSON.stringify(parts), 'base64url')}`
  return {
    account,
    isDevice: device !== null,
    clientKey: device === null ? keyOf('client', account, network) : keyOf('device', account, device),
    accountKey: `account:${account}`,
    networkKey: keyOf('network', network),
    repeatsKey: keyOf('repeats', network),
    familiarKey: keyOf('familiar', account, network),
  }
}

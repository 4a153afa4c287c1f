import type { Knex } from 'knex'
import { type SqlUsers, sqlUsers } from 'koa-strata/sql'
import { type Board, createBoard } from './board/board.ts'
import type { OpeningText } from './board/openings.ts'
import type { Kind } from './board/profiles.ts'
import { READ_REPORTS } from './feeds/catalogue.ts'
import type { PartnerPerson } from './partner.ts'

/** Somebody who is there to try the board. */
export interface Account {
  readonly username: string
  readonly email: string
  readonly password: string
  readonly what: string
  readonly kind?: Kind
  readonly profile?: Record<string, string>
  readonly isStaff?: boolean
}

const ines: Account = {
  username: 'ines',
  email: 'ines@people.example',
  password: 'ines-demo-pässwörd☃',
  what: 'employee',
  kind: 'employee',
  profile: { name: 'Inès Faye', city: 'Marseille', skills: 'bread, pastry, opening the shop at five' },
}
const oleksandr: Account = {
  username: 'oleksandr',
  email: 'oleksandr@people.example',
  password: 'oleksandr-demo-password',
  what: 'employee',
  kind: 'employee',
  profile: { name: 'Олександр Бондар', city: 'Львів', skills: 'друкарські машини, набір, Ελληνικά B2' },
}
const marta: Account = {
  username: 'marta',
  email: 'marta@lindenhof.example',
  password: 'marta-demo-password',
  what: 'employer',
  kind: 'employer',
  profile: {
    company: 'Bäckerei Lindenhof',
    about:
      'A bakery of eleven people in the east of Leipzig. We bake at night, with flour from forty kilometres around.',
  },
}
const elektra: Account = {
  username: 'elektra',
  email: 'elektra@print.example',
  password: 'elektra-demo-password',
  what: 'employer',
  kind: 'employer',
  profile: {
    company: 'Τυπογραφείο Ηλέκτρα',
    about: 'Ένα μικρό τυπογραφείο στη Θεσσαλονίκη. We print books by letterpress, three hundred copies at a time.',
  },
}
const robin: Account = {
  username: 'robin',
  email: 'robin@people.example',
  password: 'robin-demo-password',
  what: 'has no profile yet',
}
const sam: Account = {
  username: 'sam',
  email: 'sam@board.example',
  password: 'sam-demo-password',
  what: 'staff',
  isStaff: true,
}

/** The people with a record, by their names. */
export const demoAccounts = { marta, elektra, ines, oleksandr, robin, sam }
const accounts: readonly Account[] = Object.values(demoAccounts)

/** The people of the partner's directory. They have no record here. */
export const partnerPeople: readonly PartnerPerson[] = [
  {
    id: 'bridge-talent/noor',
    username: 'noor',
    email: 'noor@bridge-talent.example',
    password: 'noor-demo-password',
    passwordSet: '2026-01-12',
  },
  {
    id: 'bridge-talent/tomás',
    username: 'tomas',
    email: 'tomas@bridge-talent.example',
    password: 'tomas-demo-password',
    passwordSet: '2026-02-03',
  },
]

const HOUR = 3_600_000

const baker: OpeningText = {
  title: 'Baker, early shift',
  place: 'Leipzig',
  salary: '€ 38,000 a year',
  description:
    'You make the dough at two and take the last loaves out at seven. Five nights a week, never on Sundays.\n\nYou have baked with sourdough before, and you like to work while the town sleeps. We teach the rest.',
}
const shop: OpeningText = {
  title: 'Shop assistant, weekends',
  place: 'Leipzig',
  salary: '',
  description: 'Saturdays and Sundays from six to one: sell, make coffee, know the regulars by name.',
}
const printer: OpeningText = {
  title: 'Letterpress printer (Τυπογράφος)',
  place: 'Θεσσαλονίκη',
  salary: '€ 24,000 a year',
  description:
    'You set type by hand & run a cylinder press from 1961. You read Greek; three years of experience with machines of any kind will do.\n\nΔουλεύουμε τέσσερις ημέρες την εβδομάδα. We help you find a flat near the shop.',
}
const translator: OpeningText = {
  title: 'Translator, Greek to English',
  place: 'remote',
  salary: '',
  description: 'Two novels a year, for the bilingual series. You know what a widow is, or you will by May.',
}

/** Fills an empty board with people and openings, all or nothing; a board on which something has happened is left alone. */
export async function seed(database: Knex, now: () => number = Date.now): Promise<void> {
  if (await database('activity').first('id')) return
  await database.transaction(async trx => {
    let at = now() - 96 * HOUR
    const clock = () => {
      at += 3 * HOUR
      return at
    }
    await seedBoard(sqlUsers(trx, { name: 'sql' }), createBoard(trx, clock))
  })
}

async function seedBoard(users: SqlUsers, { openings, candidates, profiles }: Board): Promise<void> {
  const keys = new Map<Account, string>()
  for (const account of accounts) {
    const { username, email, password, isStaff = false, kind, profile } = account
    const user = await users.create({ username, email, password, isStaff })
    if (isStaff) await users.grant(user.id, READ_REPORTS)
    if (kind && profile) await profiles.create(user.key, kind, profile)
    keys.set(account, user.key)
  }
  const noor = { user_key: `partner:${partnerPeople[0]!.id}`, agency: 'Bridge Talent', region: 'Rhône-Alpes' }
  await profiles.create(noor.user_key, 'partner', { agency: noor.agency, region: noor.region })

  const employerOf = (account: Account) => ({
    user_key: keys.get(account)!,
    company: account.profile!.company!,
    about: account.profile!.about!,
  })
  const employeeOf = (account: Account) => ({
    user_key: keys.get(account)!,
    name: account.profile!.name!,
    city: account.profile!.city!,
    skills: account.profile!.skills!,
  })
  const post = async (account: Account, text: OpeningText) =>
    (await openings.find(await openings.post(employerOf(account), text)))!

  const bakerOpening = await post(marta, baker)
  const printerOpening = await post(elektra, printer)
  const shopOpening = await post(marta, shop)
  await post(elektra, translator)
  const first =
    'I have baked for nine years, the last four with sourdough only. I could begin in September, and I would bring my starter.'
  await candidates.apply(bakerOpening, employeeOf(ines), ines.email, first)
  const second = 'Сім років працюю друкарем, зараз у Львові.\n\nI can come for a trial week at any time.'
  await candidates.apply(printerOpening, employeeOf(oleksandr), oleksandr.email, second)
  await candidates.recommend(bakerOpening, noor, partnerPeople[0]!.email, {
    candidate: 'ليلى حداد',
    note: 'Layla Haddad ran the night shift of a bakery in Lyon and moves to Leipzig in the autumn.',
  })
  await openings.close(shopOpening.id, employerOf(marta))
}

/** The seeded accounts that are there, with their passwords, to print. */
export async function describeAccounts(users: SqlUsers): Promise<string> {
  const lines: string[] = []
  for (const { username, password, what } of accounts) {
    if (await users.find({ username })) lines.push(accountLine(username, password, what))
  }
  for (const { username, password } of partnerPeople) {
    lines.push(accountLine(username, password, 'from the partner’s directory, without a record here'))
  }
  return `Log in as one of these:\n${lines.join('\n')}`
}

/** Three commands that read private feeds, to print. */
export function describeCommands(origin: string): string {
  const curl = ({ username, password }: Account, feed: string) =>
    `  curl --user '${username}:${password}' ${origin}/feeds/${feed}`
  return `Private feeds, by name and password:
${curl(ines, 'openings.atom')}
${curl(marta, 'applications.json')}
${curl(sam, 'activity.rss')}`
}

function accountLine(username: string, password: string, what: string): string {
  return `  ${username.padEnd(10)} ${password.padEnd(23)} ${what}`
}

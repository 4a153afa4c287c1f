/** Any number of kinds, of profiles of any type, through stacks in stacks, guards and feeds; and sources in SQL that know their columns. */
import Router from '@koa/router'
import type { Knex } from 'knex'
import {
  type ContextOf,
  detachedUsers,
  type ProfileContext,
  type ProfileSource,
  permissionOrBasicAuth,
  profiles,
  requireProfile,
  type StateOf,
  sessionOrBasicAuth,
  sessions,
  stack,
  users,
} from 'koa-strata'
import { sqlProfiles } from 'koa-strata/sql'

interface Employer {
  user_key: string
  company: string
  size: number | null
}
type Member = { plan: 'free' } | { plan: 'paid'; until: Date }
type Partner = Readonly<{ since: number; cities: readonly string[] }>

declare const knex: Knex
declare const members: ProfileSource<Member>
const employers = sqlProfiles<Employer>(knex, { table: 'employers', fields: ['company', 'size'] })

const people = stack(sessions(), users({ backends: [detachedUsers({ name: 'ldap' })] }))
const identity = stack(
  stack(
    people,
    profiles({
      employer: employers,
      member: members,
      partner: { find: async (): Promise<Partner | null> => null },
      jobSeeker: { find: async ({ username }) => ({ skills: [username] }) },
    }),
  ),
  async (_ctx, next) => next(),
)
const router = new Router<StateOf<typeof identity>, ContextOf<typeof identity>>()

// Each kind has its flag and its type, in the order that the flags are asked in.
router.get('/', ctx => {
  const { user } = ctx.state
  if (user.isEmployer) {
    const company: string = user.profile.company
    ctx.body = company
    // error: TS18047: 'user.profile.size' is possibly 'null'.
    user.profile.size.toFixed()
  } else if (user.isMember) {
    if (user.profile.plan === 'paid') ctx.body = user.profile.until.toISOString()
    // error: TS2339: Property 'until' does not exist on type 'Member'.
    //   Property 'until' does not exist on type '{ plan: "free"; }'.
    user.profile.until
  } else if (user.isPartner) {
    const first: string | undefined = user.profile.cities[0]
    ctx.body = first
    // error: TS2540: Cannot assign to 'since' because it is a read-only property.
    user.profile.since = 2001
  } else if (user.isJobSeeker) {
    const skills: string[] = user.profile.skills
    ctx.body = skills
  } else {
    const none: null = user.profile
    const flags: false = user.isJobSeeker
    ctx.body = [none, flags]
  }
  // error: TS2540: Cannot assign to 'profile' because it is a read-only property.
  user.profile = null
})

router.get('/company', requireProfile('employer'), ctx => {
  const { company } = ctx.state.user.profile
  const other: false = ctx.state.user.isPartner
  ctx.body = [company, other, ctx.state.user.stamp]
})

router.get('/some', requireProfile(['member', 'jobSeeker']), ctx => {
  const { user } = ctx.state
  const neither: false = user.isEmployer
  ctx.body = user.isMember ? user.profile.plan : user.profile.skills
  // error: TS2339: Property 'plan' does not exist on type '{ skills: string[]; } | Member'.
  //   Property 'plan' does not exist on type '{ skills: string[]; }'.
  ctx.body = [neither, user.profile.plan]
})

// A feed: whoever comes by HTTP Basic has a typed profile as well, and may be asked for one.
router.get('/openings.atom', sessionOrBasicAuth({ realm: 'Openings' }), ctx => {
  const { user } = ctx.state
  if (user.isEmployer) ctx.body = user.profile.company
  // error: TS18047: 'user.profile' is possibly 'null'.
  user.profile.valueOf()
})
router.get('/applications.atom', sessionOrBasicAuth({ realm: 'Applications' }), requireProfile('employer'), ctx => {
  const company: string = ctx.state.user.profile.company
  ctx.body = [company, ctx.state.user.stamp]
  // error: TS2339: Property 'skills' does not exist on type 'Employer'.
  ctx.state.user.profile.skills
})
router.get(
  '/reports.atom',
  permissionOrBasicAuth('reports.read', { realm: 'Reports' }),
  requireProfile(['partner', 'jobSeeker']),
  ctx => {
    ctx.body = ctx.state.user.isPartner ? ctx.state.user.profile.since : ctx.state.user.profile.skills
  },
)

// What else profiles() adds to the context.
router.get('/reload', async ctx => {
  await ctx.reloadProfile()
  const unavailable: boolean = ctx.profileUnavailable
  ctx.body = unavailable
  // error: TS2540: Cannot assign to 'profileUnavailable' because it is a read-only property.
  ctx.profileUnavailable = false
  // error: TS2554: Expected 0 arguments, but got 1.
  await ctx.reloadProfile('employer')
})
export const reload = ({ reloadProfile }: ContextOf<typeof identity>): ProfileContext['reloadProfile'] => reloadProfile

// A kind that the application names elsewhere, and a stack that is made for a profile of any type.
const tenant = 'tenant'
function tenants<Profile extends object>(source: ProfileSource<Profile>) {
  return stack(people, profiles({ [tenant]: source, guest: { find: async () => ({ visits: 1 }) } }, { deadline: 100 }))
}
const named = tenants({ find: async () => ({ rooms: 3 }) })
const rooms = new Router<StateOf<typeof named>, ContextOf<typeof named>>()
rooms.get('/', requireProfile(tenant), ctx => {
  const count: number = ctx.state.user.profile.rooms
  const guest: false = ctx.state.user.isGuest
  ctx.body = [count, guest]
  // error: TS2339: Property 'visits' does not exist on type '{ rooms: number; }'.
  ctx.state.user.profile.visits
})

// error: TS2322: Type '"anonymous"' is not assignable to type '"fail" | "without" | undefined'.
profiles({ employer: employers }, { onUnavailable: 'anonymous' })
// error: TS2322: Type 'string' is not assignable to type 'number'.
profiles({ employer: employers }, { deadline: '5s' })
// error: TS2353: Object literal may only specify known properties, and 'timeout' does not exist in type 'ProfilesOptions'.
profiles({ employer: employers }, { timeout: 100 })
// error: TS2739: Type '{ company: string; }' is missing the following properties from type 'Promise<any>': then, catch, [Symbol.toStringTag], finally
profiles({ employer: { find: () => ({ company: 'Acme' }) } })
// error: TS2322: Type 'ProfileSource<Member>' is not assignable to type 'never'.
profiles({ employer: employers, staff: members })
// error: TS2322: Type 'number' is not assignable to type 'string'.
requireProfile(['employer', 5])

// A source in SQL sets the columns that it has, to what they hold.
// error: TS2820: Type '"compny"' is not assignable to type '"company" | "size" | "user_key"'. Did you mean '"company"'?
sqlProfiles<Employer>(knex, { table: 'employers', fields: ['compny'] })
export async function write(trx: Knex.Transaction): Promise<void> {
  const owner = { key: 'ldap:ada' }
  await employers.create(owner, { company: 'Acme', size: null }, trx)
  await employers.change(owner, {})
  // error: TS2322: Type 'number' is not assignable to type 'string'.
  await employers.change(owner, { company: 5 })
  // error: TS2561: Object literal may only specify known properties, but 'compny' does not exist in type 'Partial<Employer>'. Did you mean to write 'company'?
  await employers.change(owner, { compny: 'Acme' })
  // error: TS2345: Argument of type 'string' is not assignable to parameter of type 'ProfileOwner'.
  await employers.remove('ldap:ada')
}

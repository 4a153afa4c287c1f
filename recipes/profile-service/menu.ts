import type { CanteenUser } from './canteen-user.ts'

/** What there is for somebody today. */
export interface Menu {
  /** Whose prices these are, in words. */
  readonly tariff: string
  readonly dishes: readonly { readonly name: string; readonly cents: number }[]
}

const DISHES = [
  { name: 'Lentil soup', isVegetarian: true, isVegan: true, cost: 340 },
  { name: 'Baked potato with quark', isVegetarian: true, isVegan: false, cost: 420 },
  { name: 'Plaice with dill', isVegetarian: false, isVegan: false, cost: 680 },
]
/** What the works adds for its own people, in cents. */
const SUBSIDY = 140
/** What guests pay beyond the cost, in cents. */
const SURCHARGE = 120

/** The menu for somebody: employees pay less and are shown what they eat, people of an agency pay what it costs, guests more. */
export function menuFor(user: CanteenUser): Menu {
  if (user.isEmployee) {
    const { department, diet } = user.profile
    const eaten = DISHES.filter(
      dish => (diet !== 'vegetarian' || dish.isVegetarian) && (diet !== 'vegan' || dish.isVegan),
    )
    return { tariff: `Prices for ${department}`, dishes: eaten.map(dish => priced(dish, -SUBSIDY)) }
  }
  if (user.isTemp) {
    return { tariff: `Prices for people of ${user.profile.agency}`, dishes: DISHES.map(dish => priced(dish, 0)) }
  }
  return { tariff: 'Prices for guests', dishes: DISHES.map(dish => priced(dish, SURCHARGE)) }
}

function priced({ name, cost }: { name: string; cost: number }, more: number): Menu['dishes'][number] {
  return { name, cents: cost + more }
}

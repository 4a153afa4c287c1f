import type { ProfiledUser } from 'koa-strata'
import type { Employee } from './employee.ts'
import type { Supplier } from './suppliers.ts'
import type { Temp } from './temps.ts'

/** Whoever asks: with the profile of one kind, or of none. */
export type CanteenUser = ProfiledUser<{ temp: Temp; supplier: Supplier; employee: Employee }>

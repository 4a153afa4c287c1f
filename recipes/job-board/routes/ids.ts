import type { ParameterizedContext } from 'koa'

/** The number of a row in the address. What is no such number is not there (404). */
export function idIn(ctx: ParameterizedContext & { params: Record<string, string> }): number {
  const { id = '' } = ctx.params
  if (!/^[1-9]\d{0,14}$/.test(id)) ctx.throw(404)
  return Number(id)
}

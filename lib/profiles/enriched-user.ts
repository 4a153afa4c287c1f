import type { AnyUser } from '../users/request-user.ts'

/** A user with further fields. A backend may hand out one object to many requests: it is not altered, what is added stands before it. */
export function withFields(user: AnyUser, fields: object): AnyUser {
  return new Proxy({ ...fields }, new Behind(user)) as AnyUser
}

/** Answers by the fields, and by the user behind them, whose methods run on the user itself: it may have private fields. */
class Behind implements ProxyHandler<object> {
  readonly #user: AnyUser

  constructor(user: AnyUser) {
    this.#user = user
  }

  get(fields: object, name: string | symbol): unknown {
    if (Object.hasOwn(fields, name)) return Reflect.get(fields, name)
    const value: unknown = Reflect.get(this.#user, name)
    return typeof value === 'function' ? value.bind(this.#user) : value
  }

  has(fields: object, name: string | symbol): boolean {
    return name in fields || name in this.#user
  }

  getPrototypeOf(): object | null {
    return Object.getPrototypeOf(this.#user)
  }
}

/** Nothing that could be looked at. */
export const app = { listen() {} }

import Koa from 'koa'
import { memoryStore, sessions } from 'koa-strata'

/** An application with most of what can be wrong and starts nevertheless. */
const app = new Koa({ proxy: true, keys: ['this is my secret session key, and no other'] })
app.use(sessions({ store: memoryStore(), cookie: { domain: 'shop.example', sameSite: 'none', secure: true } }))
app.use(sessions({ keys: ['x'.repeat(40)], cookie: { name: 'plain', secure: false } }))

export default app

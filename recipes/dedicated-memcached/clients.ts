import { MemcacheClient } from 'memcache-client'

/** A client for sessions: it gives up before `sessions()` does (500 ms), and a host that is gone holds nobody up. @param server as '127.0.0.1:11212' */
export function openSessionClient(server: string): MemcacheClient {
  return new MemcacheClient({
    server: { server, maxConnections: 4 },
    cmdTimeout: 400,
    connectTimeout: 400,
    noDelay: true,
  })
}

/** A client for a cache: the page is made without it rather than late. @param server as '127.0.0.1:11211' */
export function openCacheClient(server: string): MemcacheClient {
  return new MemcacheClient({ server, cmdTimeout: 200, connectTimeout: 200, noDelay: true })
}

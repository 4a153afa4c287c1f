import { apache } from './apache.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import type { ProxyUnderTest } from './proxy.ts'

/** The proxies that the tests stand in front of a site. */
export const PROXIES: readonly ProxyUnderTest[] = [apache, haproxy, nginx]

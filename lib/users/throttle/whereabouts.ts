import { hash } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import { canonicalForm } from '../canonical.ts'

/** What of a name counts; more is no name. */
const LONGEST = 2_048
/** Addresses of IPv4 within IPv6: mapped ones (RFC 4291 §2.5.5.2), and those of NAT64 (RFC 6052 §2.1). */
const EMBEDDED = ['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0']

/**
 * What failed logins of a name are counted under: never the name itself. Names that are one user's in any backend are one account: beyond the
 * canonical form it overlooks accents, spaces and what cannot be seen, as databases and directories do.
 */
export function accountOf(username: string): string {
  const plain = canonicalForm(username.slice(0, LONGEST))
    .normalize('NFKD')
    .replace(/[\p{M}\p{C}\p{Default_Ignorable_Code_Point}\p{White_Space}]/gu, '')
    .replaceAll('ı', 'i')
  return hash('sha256', plain, 'base64url')
}

/**
 * The network of a client: the address where it is IPv4, the first 64 bits where it is IPv6, since that many are one subscriber's. What is no
 * address, as a proxy may write, is all one network.
 */
export function networkOf(ip: string): string {
  const address = ip.replace(/%.*$/, '')
  if (isIPv4(address)) return address
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$|^\[(.+)\](?::\d+)?$/.exec(address)
  if (withPort) return networkOf(withPort[1] ?? withPort[2]!)
  if (!isIP(address)) return 'unknown'
  const groups = groupsOf(address)
  if (!EMBEDDED.includes(groups.slice(0, 6).join(':'))) return `${groups.slice(0, 4).join(':')}::/64`
  return groups
    .slice(6)
    .map(group => Number.parseInt(group, 16))
    .map(group => `${group >> 8}.${group & 255}`)
    .join('.')
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  // As URLs have it, so that there is one spelling.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [before, behind] = [head, tail ?? ''].map(part => (part === '' ? [] : part.split(':'))) as [string[], string[]]
  return [...before, ...Array<string>(8 - before.length - behind.length).fill('0'), ...behind]
}

import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, type Server, type Socket } from 'node:net'
import { OptionInvalid } from '../errors.ts'

/** Whether the other end of a request's connection is one of those listed; 'unknown' where that cannot be told any more. */
export type Peer = 'listed' | 'unlisted' | 'unknown'

/** The machines that were listed. */
export interface Peers {
  /** Whether the other end of a request's connection is one of them. */
  at(request: IncomingMessage): Peer
  /** Whether this text is the address of one of them. */
  has(address: string): boolean
}

/** What stands for Unix sockets in a list of peers. */
const UNIX = 'unix'

/**
 * Whom to believe, out of addresses, networks in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3) and 'unix'. A
 * request is from where its connection says, whatever its headers do; IPv4 that is mapped into IPv6 counts as IPv4.
 * @throws OptionInvalid, naming `where` and `option`, where the list is empty or an entry is none of these
 */
export function peersOf(where: string, option: string, listed: unknown): Peers {
  if (!Array.isArray(listed) || listed.length === 0) {
    throw new OptionInvalid(
      where,
      option,
      "must list at least one proxy, as ['10.0.0.0/8', '::1', 'unix']: whoever else connects could pretend to be anybody.",
    )
  }
  const networks = new BlockList()
  listed.forEach((entry: unknown, index) => {
    if (entry !== UNIX && !(typeof entry === 'string' && addNetwork(networks, entry)))
      throw new OptionInvalid(
        where,
        `${option}[${index}]`,
        "must be an address, a network as '10.0.0.0/8' or 'fd00::/8', or 'unix'.",
      )
  })
  const unix = listed.includes(UNIX) ? 'listed' : 'unlisted'

  const has = (address: string) => {
    const version = isIP(address)
    return version !== 0 && networks.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }

  return {
    has,
    at({ socket }) {
      const { remoteAddress } = socket
      if (remoteAddress === undefined) return isUnix(socket) ? unix : 'unknown'
      return has(remoteAddress) ? 'listed' : 'unlisted'
    },
  }
}

function addNetwork(networks: BlockList, entry: string): boolean {
  const [, address = '', prefix] = /^([\d.]+|[\da-f:.]+)(?:\/(0|[1-9]\d{0,2}))?$/i.exec(entry) ?? []
  const version = isIP(address)
  const bits = version === 4 ? 32 : 128
  if (version === 0 || Number(prefix ?? bits) > bits) return false
  networks.addSubnet(address, Number(prefix ?? bits), version === 4 ? 'ipv4' : 'ipv6')
  return true
}

/**
 * A missing address alone tells nothing: a TCP connection that its client has reset has none either. So it must be the server's own address that
 * is a path.
 */
function isUnix(socket: Socket & { server?: Server }): boolean {
  return typeof socket.server?.address() === 'string'
}

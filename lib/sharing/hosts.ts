import { OptionInvalid } from '../errors.ts'

/** A host with or without a port, as RFC 9110 §7.2 has it, of a name, an IPv4 address, or an IPv6 address in brackets. */
const AUTHORITY = /^(\[[\da-f:.]+\]|[\w-]+(?:\.[\w-]+)*\.?)(?::\d{1,5})?$/i
const LONGEST = 262

/** The host of a `Host` field or a URL, in lower case, without a port and a dot at its end; null where it is none. */
export function hostOf(authority: string): string | null {
  const host = authority.length <= LONGEST ? AUTHORITY.exec(authority)?.[1] : undefined
  if (host === undefined || !URL.canParse(`http://${authority}`)) return null
  return host.toLowerCase().replace(/\.$/, '')
}

/**
 * Makes the question whether a host, as `hostOf()` answers it, is one of those listed: names and addresses, and `*.example` for whatever is below
 * a name.
 * @throws OptionInvalid, naming `where` and `option`, where an entry is neither
 */
export function hostsListed(where: string, option: string, listed: unknown): (host: string) => boolean {
  if (!Array.isArray(listed) || listed.length === 0)
    throw new OptionInvalid(where, option, "must list at least one host, as ['www.example', '*.example'].")
  const hosts = new Set<string>()
  const domains: string[] = []
  listed.forEach((entry: unknown, index) => {
    const [, star, name = ''] = (typeof entry === 'string' && /^(\*\.)?([^*]+)$/.exec(entry)) || []
    const host = hostOf(name)
    if (host === null || /:\d+$/.test(name.replace(/^\[.*\]/, '')))
      throw new OptionInvalid(
        where,
        `${option}[${index}]`,
        "must be a host without a port, as 'www.example', or '*.example'.",
      )
    if (star) domains.push(`.${host}`)
    else hosts.add(host)
  })
  return host => hosts.has(host) || domains.some(domain => host.endsWith(domain) && host.length > domain.length)
}

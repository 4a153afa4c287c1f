/** What may be answered: by the app with what is true, or with a status of refusal. */
export type Right = 'the truth' | 400 | 401 | 421

/** What a client sends to be taken for somebody else, or for somewhere else. */
export interface Spoof {
  readonly what: string
  /** Its header lines. */
  readonly lines?: readonly string[]
  /** Its `Host` lines' values. @default the host and port that it connects to */
  readonly hosts?: readonly string[]
  /** Its `Connection` line's value. @default 'close' */
  readonly connection?: string
  /** What it asks for in place of the path, made of it. */
  readonly target?: (path: string) => string
  /** What is right in front of a path that the proxy asks no password for, and past the proxy. @default only the truth */
  readonly right?: readonly Right[]
  /** What is right in front of `/staff`, where the client sends the right password unless it sends an `Authorization` of its own. @default as elsewhere */
  readonly rightForStaff?: readonly Right[]
  /** Whether a proxy that passes on what clients send has the app take the client for mallory. @default false */
  readonly isDangerous?: boolean
}

const EVIL = 'evil.example'
const basic = (credentials: string) => `Authorization: Basic ${Buffer.from(credentials).toString('base64')}`

const NAMES: readonly Spoof[] = [
  { what: 'nothing of its own' },
  { what: 'an own X-Remote-User', lines: ['X-Remote-User: mallory'], isDangerous: true },
  { what: 'X-Remote-User in mixed case', lines: ['x-rEmOtE-uSeR: mallory'], isDangerous: true },
  { what: 'X_Remote_User', lines: ['X_Remote_User: mallory'] },
  { what: 'X-Remote-User and X_Remote_User', lines: ['X-Remote-User: mallory', 'X_Remote_User: mallory'] },
  { what: 'X-Remote_User and X_Remote-User', lines: ['X-Remote_User: mallory', 'X_Remote-User: mallory'] },
  { what: 'X-Remote-User twice', lines: ['X-Remote-User: mallory', 'X-Remote-User: grace'] },
  { what: 'X-Remote-User without a name', lines: ['X-Remote-User:'] },
  // CGI would take these for the same; whoever passes them on has the request refused.
  { what: 'X.Remote.User', lines: ['X.Remote.User: mallory'], right: ['the truth', 400] },
  { what: 'X-Remote-User and a space', lines: ['X-Remote-User : mallory'], right: ['the truth', 400] },
  { what: 'X-Remote-User as a folded line', lines: ['A: b', ' X-Remote-User: mallory'], right: ['the truth', 400] },
]

const HOP_BY_HOP: readonly Spoof[] = [
  { what: 'Connection: X-Remote-User', connection: 'close, X-Remote-User' },
  {
    what: 'Connection: x-remote-user and an own one',
    connection: 'x-remote-user, close',
    lines: ['X-Remote-User: mallory'],
  },
  { what: 'Connection: X-Forwarded-For', connection: 'close, X-Forwarded-For', lines: ['X-Forwarded-For: 10.9.9.9'] },
  { what: 'Connection: X-Forwarded-Proto', connection: 'close, X-Forwarded-Proto' },
  { what: 'Connection: X-Forwarded-Host', connection: 'close, X-Forwarded-Host', lines: [`X-Forwarded-Host: ${EVIL}`] },
  { what: 'Connection: Host', connection: 'close, Host' },
  { what: 'Connection: Authorization', connection: 'close, Authorization' },
]

const FORWARDED: readonly Spoof[] = [
  ...['10.9.9.9', '10.9.9.9, 10.8.8.8', '<garbage>, ,', '127.0.0.1', '10.9.9.9, 127.0.0.1', 'unix', ''].map(said => ({
    what: `X-Forwarded-For: ${said}`,
    lines: [`X-Forwarded-For: ${said}`],
  })),
  { what: 'X-Forwarded-For twice', lines: ['X-Forwarded-For: 10.9.9.9', 'X-Forwarded-For: 127.0.0.1'] },
  { what: 'X_Forwarded_For', lines: ['X_Forwarded_For: 10.9.9.9'] },
  { what: 'X-Real-IP and the like', lines: ['X-Real-IP: 10.9.9.9', 'Client-IP: 10.9.9.9', 'True-Client-IP: 10.9.9.9'] },
  ...['https', 'http', 'https, https', 'ftp'].map(said => ({
    what: `X-Forwarded-Proto: ${said}`,
    lines: [`X-Forwarded-Proto: ${said}`],
  })),
  { what: 'X-Forwarded-Proto twice', lines: ['X-Forwarded-Proto: https', 'X-Forwarded-Proto: http'] },
  ...[EVIL, `${EVIL}, 127.0.0.1`, `127.0.0.1, ${EVIL}`, 'a/b@c', ''].map(said => ({
    what: `X-Forwarded-Host: ${said}`,
    lines: [`X-Forwarded-Host: ${said}`],
  })),
  { what: 'X_Forwarded_Host and X_Forwarded_Proto', lines: [`X_Forwarded_Host: ${EVIL}`, 'X_Forwarded_Proto: https'] },
  { what: 'Forwarded', lines: [`Forwarded: for=10.9.9.9;host=${EVIL};proto=https`] },
  {
    what: 'what other frameworks read',
    lines: [
      'X-Forwarded-Port: 1',
      'X-Forwarded-Ssl: on',
      'X-Forwarded-Scheme: https',
      'X-Forwarded-Prefix: /x',
      'Front-End-Https: on',
    ],
  },
]

const HOSTS: readonly Spoof[] = [
  { what: `Host: ${EVIL}`, hosts: [EVIL], right: [421] },
  { what: `Host: ${EVIL}:443`, hosts: [`${EVIL}:443`], right: [421] },
  { what: `Host: 127.0.0.1.${EVIL}`, hosts: [`127.0.0.1.${EVIL}`], right: [421] },
  { what: 'Host with a port of its own', hosts: ['127.0.0.1:1'] },
  { what: 'Host with a port that is none', hosts: ['127.0.0.1:http'], right: [400] },
  { what: 'Host with userinfo', hosts: ['grace:pw@127.0.0.1'], right: [400] },
  { what: 'Host as userinfo', hosts: [`127.0.0.1@${EVIL}`], right: [400] },
  { what: 'Host with a path', hosts: ['127.0.0.1/x'], right: [400] },
  { what: 'Host as a list', hosts: [`127.0.0.1, ${EVIL}`], right: [400, 421] },
  // Node takes the first one.
  { what: 'Host twice', hosts: ['127.0.0.1', EVIL], right: ['the truth', 400] },
  { what: 'no Host', hosts: [], right: [400] },
  {
    what: 'another host in the request’s target',
    target: path => `http://${EVIL}${path}`,
    right: ['the truth', 400, 421],
  },
]

const CREDENTIALS: readonly Spoof[] = [
  ...['grace:wrong', 'alice:alice pw', 'mallory:', 'mallory'].map(credentials => ({
    what: `Authorization of ${credentials}`,
    lines: [basic(credentials)],
    rightForStaff: [401] as const,
  })),
  { what: 'Authorization of another scheme', lines: ['Authorization: Bearer mallory'], rightForStaff: [401] },
  { what: 'Proxy-Authorization', lines: [`Proxy-${basic('mallory:pw')}`] },
]

/** The rows of the spoofing table. */
export const SPOOFS: readonly Spoof[] = [...NAMES, ...HOP_BY_HOP, ...FORWARDED, ...HOSTS, ...CREDENTIALS]

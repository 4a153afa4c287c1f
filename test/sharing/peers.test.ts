import type { IncomingMessage } from 'node:http'
import test from 'ava'
import { OptionInvalid } from 'koa-strata'
import { peersOf } from '../../lib/sharing/peers.ts'

/** A request over a connection from there, to a server that listens at this address. */
function from(remoteAddress: string | undefined, listens: unknown = { address: '::', port: 80 }): IncomingMessage {
  return { socket: { remoteAddress, server: { address: () => listens } } } as never
}

const WRONG: [string, unknown][] = [
  ['nothing', ''],
  ['a name', 'localhost'],
  ['a number', 10],
  ['null', null],
  ['a list', ['10.0.0.0/8']],
  ['an address with a space', ' 10.0.0.1'],
  ['three numbers', '10.0.0'],
  ['a number above 255', '10.0.0.256'],
  ['an octal number', '010.0.0.1'],
  ['a network without a prefix', '10.0.0.0/'],
  ['a prefix above 32', '10.0.0.0/33'],
  ['a prefix above 128', 'fd00::/129'],
  ['a negative prefix', '10.0.0.0/-1'],
  ['a prefix that is no number', '10.0.0.0/x'],
  ['a prefix with a zero before it', '10.0.0.0/08'],
  ['a prefix with a fraction', '10.0.0.0/8.5'],
  ['a mask', '10.0.0.0/255.0.0.0'],
  ['an address with a port', '10.0.0.1:80'],
  ['an address with a zone', 'fe80::1%eth0'],
  ['an address in brackets', '[::1]'],
  ['a star', '10.*'],
  ['two addresses', '10.0.0.1,10.0.0.2'],
  ['Unix in capitals', 'Unix'],
]

for (const [what, entry] of WRONG) {
  test(`A list of peers with ${what} is an OptionInvalid that names the entry.`, t => {
    const error = t.throws(() => peersOf('remoteUser()', 'trust', ['::1', entry]), { instanceOf: OptionInvalid })
    t.is(error.option, 'trust[1]')
  })
}

const CASES: [listed: string, address: string, isListed: boolean][] = [
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.1', '127.0.0.2', false],
  ['127.0.0.1', '::ffff:127.0.0.1', true],
  ['127.0.0.1', '::ffff:127.0.0.2', false],
  ['127.0.0.1', '::1', false],
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['10.0.0.0/8', '::10.1.2.3', false],
  ['10.0.0.0/31', '10.0.0.1', true],
  ['10.0.0.0/31', '10.0.0.2', false],
  ['10.0.0.5/32', '10.0.0.5', true],
  ['0.0.0.0/0', '203.0.113.1', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::1', '::1', true],
  ['::1', '127.0.0.1', false],
  ['FD00::/8', 'fd12:3456::1', true],
  ['fd00::/8', 'fe80::1', false],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['fe80::1', 'fe80::2%eth0', false],
  ['unix', '127.0.0.1', false],
]

for (const [listed, address, isListed] of CASES) {
  test(`${address} is ${isListed ? '' : 'not '}listed by ${listed}.`, t => {
    t.is(peersOf('test', 'trust', ['192.0.2.1', listed]).at(from(address)), isListed ? 'listed' : 'unlisted')
  })
}

test('A connection without an address is one of a Unix socket only where the server listens on a path.', t => {
  const [unix, others] = [peersOf('test', 'trust', ['unix']).at, peersOf('test', 'trust', ['0.0.0.0/0', '::/0']).at]
  t.is(unix(from(undefined, '/run/app.sock')), 'listed')
  t.is(others(from(undefined, '/run/app.sock')), 'unlisted')
  for (const listens of [{ address: '::', port: 80 }, null, undefined]) {
    t.is(unix(from(undefined, listens)), 'unknown')
    t.is(others(from(undefined, listens)), 'unknown')
  }
  t.is(unix({ socket: { remoteAddress: undefined } } as never), 'unknown')
})

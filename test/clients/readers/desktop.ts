import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireProgram } from '../programs.ts'
import { Background } from './background.ts'
import { environmentOf, type Place } from './reader.ts'

/**
 * A screen that nobody sees and a session bus, for a program with windows.
 * @returns the environment in which such a program finds them
 */
export async function startDesktop(place: Place): Promise<NodeJS.ProcessEnv> {
  const [screen, bus] = await Promise.all([startScreen(place), startBus(place)])
  return {
    ...environmentOf(place),
    DISPLAY: screen,
    DBUS_SESSION_BUS_ADDRESS: bus,
    XDG_RUNTIME_DIR: place.home,
    GSETTINGS_BACKEND: 'keyfile',
  }
}

async function startScreen(place: Place): Promise<string> {
  const program = requireProgram('Xvfb', { debianPackage: 'xvfb' })
  const options = ['-displayfd', '1', '-screen', '0', '800x600x24', '-nolisten', 'tcp']
  const xvfb = await Background.start(place, program, options, environmentOf(place))
  const [number] = await xvfb.says(/^\d+(?=\n)/m)
  return `:${number}`
}

/** A bus that starts no services: what it would start would be nobody's to end. */
async function startBus(place: Place): Promise<string> {
  const program = requireProgram('dbus-daemon', { debianPackage: 'dbus' })
  const config = join(place.home, 'bus.conf')
  const lines = [
    '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"',
    ' "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">',
    `<busconfig><type>session</type><listen>unix:dir=${place.home}</listen>`,
    '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>',
    '</busconfig>',
  ]
  await writeFile(config, lines.join('\n'))
  const options = [`--config-file=${config}`, '--nofork', '--print-address=1']
  const bus = await Background.start(place, program, options, environmentOf(place))
  const [address] = await bus.says(/^unix:\S+(?=\n)/m)
  return address
}

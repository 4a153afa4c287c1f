import { type Browser, chromium } from 'playwright-core'
import { requireProgram } from './programs.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts the system's Chromium, without a window. CHROMIUM_PATH names another. */
export function launchChromium(): Promise<Browser> {
  const executablePath = requireProgram('chromium', { path: process.env.CHROMIUM_PATH })
  return chromium.launch({ executablePath, args: FLAGS })
}

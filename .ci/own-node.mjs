// Runs at the end of `npm ci` and `npm install` (as `prepare`), on whatever Node there is, and settles which Node the npm scripts run on.
//
// The npm package `node` puts a Node first on the PATH of the scripts, for machines whose own is too old for this project. Where the machine's
// own will do, that link goes: without this, tests "on Node 22" and "on Node 26" would all run on the Node of that package.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, unlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const inProject = path => fileURLToPath(new URL(`../${path}`, import.meta.url))
const ours = inProject('node_modules/.bin/node')
const theirs = process.env.npm_node_execpath

/** Whether a version such as 24.21.0 is at least one such as 22.20. */
function atLeast(version, least) {
  const [have, want] = [version, least].map(text => text.split('.').map(Number))
  for (const [index, number] of want.entries()) {
    if ((have[index] ?? 0) !== number) return (have[index] ?? 0) > number
  }
  return true
}

// On Windows the link is a batch file that is running right now. An npm that itself runs on our Node says nothing about the machine's own.
if (theirs && process.platform !== 'win32' && existsSync(ours) && realpathSync(theirs) !== realpathSync(ours)) {
  const { engines } = JSON.parse(readFileSync(inProject('package.json'), 'utf8'))
  const least = /^>=(\d+(?:\.\d+)*)$/.exec(engines.node)?.[1]
  if (!least) throw new Error(`.ci/own-node.mjs reads '>=22.20', and engines.node is '${engines.node}'.`)
  const version = execFileSync(theirs, ['--version'], { encoding: 'utf8' }).trim().slice(1)
  if (atLeast(version, least)) {
    unlinkSync(ours)
    console.log(`npm scripts here run on this machine's Node ${version}.`)
  } else {
    const own = execFileSync(ours, ['--version'], { encoding: 'utf8' }).trim().slice(1)
    console.log(
      `This machine's Node ${version} is older than ${least}: npm scripts here run on Node ${own} from node_modules.`,
    )
  }
}

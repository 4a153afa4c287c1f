/** Starts one recipe: `npm run recipe -- <name>`. */
import { existsSync, readdirSync } from 'node:fs'

const recipes = readdirSync(import.meta.dirname)
  .filter(name => existsSync(new URL(`${name}/main.ts`, import.meta.url)))
  .sort()
const name = process.argv[2] ?? ''

if (recipes.includes(name)) await import(new URL(`${name}/main.ts`, import.meta.url).href)
else {
  console.error(name === '' ? 'Which recipe?' : `There is no recipe '${name}'.`)
  console.error(`Start one with npm run recipe -- <name>: ${recipes.join(', ') || 'none yet'}.`)
  process.exitCode = 1
}

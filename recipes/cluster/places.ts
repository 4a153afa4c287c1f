import { readFileSync } from 'node:fs'

/** A configuration file of this recipe with other places in it: nothing else is changed. @param places what stands there, and what is to */
export function placed(file: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((text, [here, there]) => {
    if (text.split(here).length !== 2) throw new Error(`${file} has '${here}' not once.`)
    return text.replace(here, there)
  }, textOf(file))
}

/** The settings in a configuration file of this recipe, whose lines are `name = value` or `name value`, but for those that say where it is. */
export function settingsIn(file: string, places: RegExp): Record<string, string> {
  const lines = textOf(file).matchAll(/^([a-z][\w-]*)(?: = | )"?([^"\n]*)"?$/gm)
  return Object.fromEntries(
    [...lines].map(([, name, value]) => [name!, value!]).filter(([name]) => !places.test(name!)),
  )
}

function textOf(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8')
}

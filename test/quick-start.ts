/** Runs first in each of the processes that AVA runs test files in: what it does before them costs more than most of them. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// AVA has Node read the source map of every module that names one, and no line is told by one: types are stripped in place.
process.setSourceMapsEnabled(false)

// Types need not be stripped, and modules compiled, anew in each process, nor in those that tests start.
const cache = join(import.meta.dirname, '../node_modules/.cache/node')
enableCompileCache(cache)
process.env.NODE_COMPILE_CACHE ??= cache

#!/usr/bin/env node
import { endProcess } from './output.ts'
import { run } from './program.ts'

// Whoever reads our output may go before it ends (`| head`): what the command was to do is done all the same.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

const { exitCode, isClosed } = await run(process.argv.slice(2))
process.exitCode = exitCode
// A server that does not answer does not let go of its connection either.
if (!isClosed) endProcess()

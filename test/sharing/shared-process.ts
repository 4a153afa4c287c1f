/** A process that serves the applications it is told of, until whoever started it ends. */
import { type ApplicationSetting, startApplication } from './shared-app.ts'

/** Nothing outlives the process. */
const owner = { teardown() {} }

process.on('message', async ({ order, setting }: { order: number; setting: ApplicationSetting }) => {
  const answer = await startApplication(owner, setting).then(
    port => ({ port }),
    (error: Error) => ({ failed: error.message }),
  )
  process.send!({ order, ...answer })
})
process.on('disconnect', () => process.exit())

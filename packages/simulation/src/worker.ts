/** A process that runs batches: see `farm.ts`. */
import { type Batch, runBatch } from './batch.ts'

process.on('message', (batch: Batch) => {
  runBatch(batch).then(
    (totals) => process.send?.({ totals }),
    (error: unknown) =>
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
process.on('disconnect', () => process.exit())

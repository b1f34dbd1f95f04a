/**
 * The entry point of the image with ffmpeg and the model of speech (`deploy/media/Dockerfile`). Where Lambda's runtime API is, it is a
 * function and handles what `ingest.ts` does. Elsewhere it is a task, works on the one object that its variables name, and ends: with
 * status 0 when the object is settled or a later message about it was sent.
 */
import { changeEvent } from '@siltstone/objects/ingest'
import { handler, needed, opened } from './ingest.ts'
import { KEY_VARIABLE } from './hand-over.ts'
import { serveInvocations } from './runtime-api.ts'
import { log, publisher } from './telemetry.ts'

export { handler }

async function workOnOne(): Promise<void> {
  const bucket = needed('SILTSTONE_OBJECTS_BUCKET')
  const key = needed(KEY_VARIABLE)
  const stop = new AbortController()
  // ECS kills a task half a minute after it told it; the object goes to the next one.
  process.once('SIGTERM', () => stop.abort(new Error('the task was stopped')))
  const { ingest, engine } = await opened()
  try {
    await ingest.handle(changeEvent({ bucket, key }), stop.signal)
  } finally {
    await ingest.close()
    await engine.flushWakeUps()
    await engine.close()
    if (publisher.hasStoredMetrics()) publisher.publishStoredMetrics()
  }
}

if (import.meta.main) {
  const api = process.env['AWS_LAMBDA_RUNTIME_API']
  try {
    await (api === undefined || api === '' ? workOnOne() : serveInvocations(api, handler))
  } catch (error) {
    log.error('object_worker_failed', { error })
    process.exitCode = 1
  }
}

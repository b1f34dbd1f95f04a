import type { Context } from 'aws-lambda'
import { powertools, publisher, tracer } from './telemetry.ts'

export type Handler<In, Out> = (event: In, context: Context) => Promise<Out>

/** Wraps every invocation: log context, one subsegment of the trace, metrics written at its end. */
export function handler<In, Out>(work: Handler<In, Out>): Handler<In, Out> {
  return async (event, context) => {
    powertools.addContext(context)
    const parent = tracer.getSegment()
    const segment = parent?.addNewSubsegment(`## ${process.env['_HANDLER'] ?? 'handler'}`)
    if (segment) tracer.setSegment(segment)
    tracer.annotateColdStart()
    tracer.addServiceNameAnnotation()
    try {
      return await work(event, context)
    } catch (error) {
      tracer.addErrorAsMetadata(error as Error)
      powertools.error('invocation_failed', error as Error)
      throw error
    } finally {
      segment?.close()
      if (parent) tracer.setSegment(parent)
      // Only if something was measured: an empty document would be billed as an event.
      if (publisher.hasStoredMetrics()) publisher.publishStoredMetrics()
    }
  }
}

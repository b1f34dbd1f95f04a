/** What one piece of work asked of the object store. Uploads and work that others began are not part of it. */
export interface RequestTrace {
  requests: number
  /** Size of all bodies read. */
  bytes: number
  /** The longest chain of requests of which each began after the one before had ended. */
  rounds: number
}

/** Attributes requests to the work that made them, across the asynchronous calls in between. */
export interface RequestTracer {
  trace<T>(work: () => Promise<T>): Promise<{ result: T; trace: RequestTrace }>
}

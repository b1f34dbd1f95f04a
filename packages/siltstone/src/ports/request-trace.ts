/** The requests that one piece of work made of the object store, without uploads. */
export interface RequestTrace {
  requests: number
  /** Size of all bodies read. */
  bytes: number
  /** The length of the longest chain of requests in which each began after the previous one had ended. */
  rounds: number
}

/** Attributes requests to the work that made them, across asynchronous calls. */
export interface RequestTracer {
  trace<T>(work: () => Promise<T>): Promise<{ result: T; trace: RequestTrace }>
}

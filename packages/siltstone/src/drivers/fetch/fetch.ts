/** The part of a `Response` that is used. */
export interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: { cancel(): Promise<void> } | null
  arrayBuffer(): Promise<ArrayBuffer>
}

export interface FetchInit {
  headers: Record<string, string>
  /** `no-cache`: ask the host whether a kept answer is still current; `no-store`: neither use nor keep one. */
  cache?: 'default' | 'no-cache' | 'no-store'
}

/** `fetch`, or something like it. Rejects when no answer came. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

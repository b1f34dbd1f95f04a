/** Outgoing HTTP, as small as the product needs. `fetch` satisfies it; tests pass in a fake. */
export interface HttpInit {
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
  signal?: AbortSignal
  redirect?: 'manual'
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

/** Rejects when no answer came (network fault, abort); any status is an answer. */
export type HttpClient = (url: string, init: HttpInit) => Promise<HttpAnswer>

export const systemHttp: HttpClient = (url, init) => fetch(url, init)

export type Verdict = 'ok' | 'warn' | 'fail'

export interface Check {
  name: string
  verdict: Verdict
  detail: string
  /** What to do; only without `ok`. */
  remedy?: string
}

export const ok = (name: string, detail: string): Check => ({ name, verdict: 'ok', detail })
export const warn = (name: string, detail: string, remedy: string): Check => ({ name, verdict: 'warn', detail, remedy })
export const fail = (name: string, detail: string, remedy: string): Check => ({ name, verdict: 'fail', detail, remedy })

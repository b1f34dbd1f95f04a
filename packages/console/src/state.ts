/** What all views share. */
import { signal } from '@preact/signals'
import { useCallback, useEffect, useState } from 'preact/hooks'
import { tokensGiven } from './api.ts'
import { hashOf, type Page, parseRoute, type Route } from './route.ts'
import type { About } from './types.ts'

export const route = signal<Route>(parseRoute(location.hash))
addEventListener('hashchange', () => (route.value = parseRoute(location.hash)))

export const about = signal<About | undefined>(undefined)

export function mayWrite(): boolean {
  const server = about.value
  return server !== undefined && !server.readOnly && server.role !== 'read'
}

export function isAdmin(): boolean {
  return about.value?.role === 'admin'
}

/** Whether the token may see what belongs to no tenant: metrics, leases, cost. */
export function seesWholeServer(): boolean {
  const server = about.value
  return server !== undefined && server.tenants === null && server.databases === null
}

/** Pages of what this server does not have are not offered. */
export function isOffered(page: Page): boolean {
  if (page === 'uploads') return about.value?.objects === true && seesWholeServer()
  return page !== 'artifacts' || (about.value?.artifacts === true && seesWholeServer())
}

export function go(change: Partial<Route>): void {
  location.hash = hashOf({ ...route.value, ...change })
}

/** Changes parameters of this view; an empty one is removed. */
export function goWith(params: Record<string, string>): void {
  go({ params: { ...route.value.params, ...params } })
}

export interface Loaded<T> {
  value: T | undefined
  problem: string | undefined
  loading: boolean
  reload: () => void
}

/** Loads when a key changes. What was loaded before stays until then. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value?: T; problem?: string; loading: boolean }>({ loading: true })
  const [round, setRound] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    setState((before) => ({ ...before, loading: true }))
    load(stop.signal).then(
      (value) => !stop.signal.aborted && setState({ value, loading: false }),
      (error: unknown) => !stop.signal.aborted && setState({ problem: sentenceOf(error), loading: false }),
    )
    return () => stop.abort()
  }, [...keys, round, tokensGiven.value])
  const reload = useCallback(() => setRound((before) => before + 1), [])
  return { value: state.value, problem: state.problem, loading: state.loading, reload }
}

/** Runs a request when `start` is called, as for a button. */
export function useRun<T>(run: () => Promise<T>) {
  const [state, setState] = useState<{ value?: T; problem?: string; busy: boolean }>({ busy: false })
  const start = async () => {
    setState({ busy: true })
    try {
      setState({ value: await run(), busy: false })
    } catch (error) {
      setState({ problem: sentenceOf(error), busy: false })
    }
  }
  return { ...state, start: () => void start() }
}

export function sentenceOf(error: unknown): string {
  if (error instanceof TypeError) return 'The server cannot be reached.'
  return error instanceof Error ? error.message : String(error)
}

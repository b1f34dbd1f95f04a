/** Requests to the server that the page came from. The token lives in this tab alone. */
import { signal } from '@preact/signals'
import type { Call } from './snippets.ts'

const TOKEN = 'siltstone-token'
export const ROOT = '/api/siltstone/v1'
/** Where the server's paths begin: the folder of this page, without a slash at its end. */
export const BASE = new URL('.', document.baseURI).href.replace(/\/$/, '')

export class Refused extends Error {
  readonly status: number
  /** A stable code, such as `dimension-mismatch`. */
  readonly code: string | null
  constructor(status: number, message: string, code: string | null) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The server wants a token, or refused the one that was given. */
export const tokenNeeded = signal(false)
export const hasToken = signal(sessionStorage.getItem(TOKEN) !== null)
/** Counts the tokens that were given, so that a view loads again with a new one. */
export const tokensGiven = signal(0)

export function setToken(token: string): void {
  if (token === '') sessionStorage.removeItem(TOKEN)
  else sessionStorage.setItem(TOKEN, token)
  hasToken.value = token !== ''
  tokenNeeded.value = false
  tokensGiven.value++
}

export interface Answered<T> {
  value: T
  header: (name: string) => string | null
  tookMs: number
}

/** @throws Refused with the server's sentence */
export async function send<T>(call: Call, signal?: AbortSignal): Promise<Answered<T>> {
  const { value, ...answered } = await sendForText(call, signal)
  return { ...answered, value: JSON.parse(value) as T }
}

/** @throws Refused with the server's sentence */
export async function sendForText(call: Call, signal?: AbortSignal): Promise<Answered<string>> {
  const token = sessionStorage.getItem(TOKEN)
  const started = performance.now()
  const response = await fetch(BASE + call.path, {
    method: call.method,
    headers: {
      // Also without a body: the server refuses writes of pages that do not name a type.
      ...(call.method !== 'GET' && { 'content-type': 'application/json' }),
      ...(token !== null && { 'x-chroma-token': token }),
      ...call.headers,
    },
    ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
    ...(signal && { signal }),
  })
  const text = await response.text()
  const tookMs = performance.now() - started
  if (!response.ok) {
    if (response.status === 401) tokenNeeded.value = true
    const message = messageOf(text) ?? `The server answered ${response.status}.`
    throw new Refused(response.status, message, response.headers.get('x-siltstone-error'))
  }
  return { value: text, header: (name) => response.headers.get(name), tookMs }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await send<T>({ method: 'GET', path }, signal)).value
}

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message
  } catch {
    return text === '' ? undefined : text.slice(0, 500)
  }
}

export interface Place {
  tenant: string
  database: string
}

/** Path of Siltstone's endpoints of a database. */
export function ours({ tenant, database }: Place): string {
  return `${ROOT}/tenants/${encodeURIComponent(tenant)}/databases/${encodeURIComponent(database)}/collections`
}

/** Path of Chroma's endpoints of a database. */
export function chroma({ tenant, database }: Place): string {
  return `/api/v2/tenants/${encodeURIComponent(tenant)}/databases/${encodeURIComponent(database)}/collections`
}

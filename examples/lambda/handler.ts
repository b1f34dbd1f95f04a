/**
 * A function of your own on AWS Lambda that answers from a store: `POST {"text": "…", "limit": 3}` through a function URL.
 * The store is opened once per execution environment; queries of a warm one reuse its caches.
 */
import { openStore, type Store } from 'siltstone'

// For a bucket, import its drivers into the bundle:
// import 'siltstone/aws'

interface UrlEvent {
  body?: string | null
  isBase64Encoded?: boolean
}
interface UrlAnswer {
  statusCode: number
  headers: Record<string, string>
  body: string
}

let opening: Promise<Store> | undefined

/** A failure is not kept: the next invocation opens again. */
function open(): Promise<Store> {
  if (opening === undefined) {
    opening = openStore(process.env['SILTSTONE_DATA'] ?? './data')
    opening.catch(() => (opening = undefined))
  }
  return opening
}

export async function handler({ body, isBase64Encoded }: UrlEvent): Promise<UrlAnswer> {
  const text = isBase64Encoded === true ? Buffer.from(body ?? '', 'base64').toString() : (body ?? '')
  const asked = parse(text)
  if (asked === undefined) return json(400, { error: 'send {"text": "…", "limit": 3}' })
  const store = await open()
  const notes = await store.getCollection({ name: process.env['COLLECTION'] ?? 'notes' })
  const [rows = []] = (await notes.query({ queryTexts: [asked.text], nResults: asked.limit })).rows()
  return json(200, { hits: rows.map(({ id, document }) => ({ id, document })) })
}

function parse(text: string): { text: string; limit: number } | undefined {
  try {
    const { text: query, limit = 3 } = JSON.parse(text) as { text?: unknown; limit?: unknown }
    if (typeof query !== 'string' || typeof limit !== 'number' || !(limit >= 1 && limit <= 100)) return undefined
    return { text: query, limit: Math.trunc(limit) }
  } catch {
    return undefined
  }
}

function json(statusCode: number, value: unknown): UrlAnswer {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

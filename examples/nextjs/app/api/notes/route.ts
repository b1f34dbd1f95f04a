import { openNotes } from '../../../lib/notes'

/** `POST /api/notes` with `[{"id": "a", "text": "…"}]` keeps notes; a note with an id that is there is replaced. */
export async function POST(request: Request): Promise<Response> {
  const body = (await request.json().catch(() => undefined)) as unknown
  if (!Array.isArray(body) || !body.every(isNote))
    return Response.json({ error: 'The body must be an array of {"id": string, "text": string}.' }, { status: 400 })
  const notes = await openNotes()
  await notes.upsert({ ids: body.map(({ id }) => id), documents: body.map(({ text }) => text) })
  return Response.json({ count: await notes.count() })
}

function isNote(value: unknown): value is { id: string; text: string } {
  const note = value as { id?: unknown; text?: unknown } | null
  return typeof note?.id === 'string' && typeof note.text === 'string'
}

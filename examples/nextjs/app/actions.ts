'use server'

import { revalidatePath } from 'next/cache'
import { openNotes } from '../lib/notes'

/** Keeps a note. It is found by the next search: a write is readable at once. */
export async function addNote(form: FormData): Promise<void> {
  const text = form.get('text')
  if (typeof text !== 'string' || text.trim() === '') return
  const notes = await openNotes()
  await notes.add({ ids: [crypto.randomUUID()], documents: [text.trim()] })
  revalidatePath('/')
}

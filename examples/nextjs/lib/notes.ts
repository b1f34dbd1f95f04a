import { openStore, type StoreCollection } from 'siltstone'

const shared = globalThis as { notes?: Promise<StoreCollection> }

/** The collection of notes. Next evaluates a module more than once, but a process should open a store once: hence `globalThis`. */
export function openNotes(): Promise<StoreCollection> {
  shared.notes ??= openStore(process.env['DATA'] ?? './data')
    .then((store) => store.getOrCreateCollection({ name: 'notes' }))
    .catch((error: unknown) => {
      // The next request tries again.
      delete shared.notes
      throw error
    })
  return shared.notes
}

/**
 * Reads from one view. If a segment of an old manifest, or an entry of the log that holds vectors, was deleted during the read, an
 * object is missing. If the pointer has moved since, the read begins again with its manifest. What that manifest needs, too, was not
 * collected: it is damage.
 */
import type { CollectionState } from '../log/collection-state.ts'
import { overtaken } from '../log/vanished.ts'
import type { View } from '../log/view.ts'
import { isMissing } from '../snapshot/manifest-store.ts'

export const VANISHED_RETRIES = 3

/**
 * @param newView is called for each try
 * @throws SiltstoneError `unavailable` (reads-too-slow) when each view was collected while it was read
 */
export async function readView<T>(
  state: Pick<CollectionState, 'strongView' | 'path'>,
  newView: () => Promise<View>,
  use: (view: View) => Promise<T>,
): Promise<T> {
  let missingKey: string | undefined
  for (let attempt = 0; ; attempt++) {
    const view = await newView()
    try {
      return await use(view)
    } catch (error) {
      if (!isMissing(error) || error.key === missingKey) throw error
      missingKey = error.key
      const now = await state.strongView()
      if (now.manifestKey === view.manifestKey) throw error
      if (attempt >= VANISHED_RETRIES) throw overtaken(state.path, error)
    }
  }
}

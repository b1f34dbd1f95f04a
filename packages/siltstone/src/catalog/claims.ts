/**
 * Unique names over an object store that has create-if-absent and compare-and-swap, and no conditional delete.
 *
 * A name is an object, the *claim*, that names its owner; the owner is an object too, and says which name it *wants*:
 * the one it has, or the one it is about to have. An owner has a name if its own object says so, and its own object
 * says so only while it holds the claim. Five rules make that true:
 *
 * 1. An owner wants the name first, then acquires the claim, then makes the name its own by a compare-and-swap of the
 *    version of itself that has wanted the name all along. (Another's change in between makes that swap fail.)
 * 2. To acquire a claim is to write it, also when it already names the owner: a new version, with a new ETag.
 * 3. A claim is written over (taken, or made vacant) only with If-Match on a version *after the reading of which* its
 *    owner's object was read and did not want the name. If the owner wants it later it must acquire (2), so that
 *    version is gone and the If-Match fails. If it wanted it earlier and holds that version, the reading shows it.
 * 4. A claim is never deleted, only made vacant by If-Match. A delete has no condition: one that stalls between look and
 *    act would remove the claim of a successor, and with it a live collection's name. What stays is an object of some
 *    200 bytes per name ever used, which nothing lists. ETags never come back (see `document-store.ts`).
 * 5. Claims without a confirming owner mean nothing. To leave one behind is harmless: the next who wants the name takes
 *    it by 3. So no step after an owner's own object was swapped can lose anything.
 *
 * Failure cases: a crash before 2 leaves an owner that wants a name it does not hold: no effect. Between 2 and the swap:
 * whoever meets the claim does the owner's swap, or ends the owner's wanting by a swap of its own, then looks again
 * (`examine`).
 */
import type { LogFields } from '../ports/telemetry.ts'
import type { CatalogDocument, DocumentType } from './document-codec.ts'
import { contended, type DocumentStore, type Versioned } from './document-store.ts'

export interface Claim<T extends CatalogDocument> {
  key: string
  type: DocumentType<T>
  ownerOf(document: Readonly<T>): string | null
  /** The document held by `owner` or vacant; `over` gives the fields that this program does not know. */
  document(owner: string | null, over: Readonly<T> | undefined): Readonly<T>
}

/** `taken`: the owner has it. `free`: the owner does not want it. `again`: something was finished, look again. */
export type Verdict = 'taken' | 'free' | 'again'

const TRIES = 50

/**
 * Acquires the claim for an owner that wants it.
 * @param examine reads the object of the claim's present owner, after the claim itself was read
 */
export async function acquire<T extends CatalogDocument>(
  documents: DocumentStore,
  claim: Claim<T>,
  owner: string,
  examine: (other: string, version: Versioned<T>) => Promise<Verdict>,
): Promise<'acquired' | 'taken'> {
  let current = await documents.read(claim.key, claim.type)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const other = current === undefined ? null : claim.ownerOf(current.document)
    if (current !== undefined && other !== null && other !== owner) {
      // step: owner-is-examined
      const verdict = await examine(other, current)
      if (verdict === 'taken') return 'taken'
      if (verdict === 'again') {
        current = await documents.read(claim.key, claim.type)
        continue
      }
    }
    const written = await put(documents, claim, owner, current)
    if (written.status === 'ok') return 'acquired'
    current = written.current
  }
  throw contended(claim.key)
}

/** Makes it vacant, if `owner` is named by it and does not want it. `wants` reads the owner's object. */
export async function vacate<T extends CatalogDocument>(
  documents: DocumentStore,
  claim: Claim<T>,
  owner: string,
  wants: () => Promise<boolean>,
): Promise<void> {
  const current = await documents.read(claim.key, claim.type)
  if (current === undefined || claim.ownerOf(current.document) !== owner || (await wants())) return
  // Lost: somebody else took it, or the owner wants it again. Both are fine.
  await put(documents, claim, null, current)
}

function put<T extends CatalogDocument>(
  documents: DocumentStore,
  claim: Claim<T>,
  owner: string | null,
  over: Versioned<T> | undefined,
) {
  return documents.write(claim.key, claim.type, claim.document(owner, over?.document), over ?? null)
}

/** Runs a step that comes after the point of no return: its failure leaves a claim that means nothing (rule 5). */
export async function tidy(
  log: { warn(event: string, fields?: LogFields): void },
  key: string,
  step: () => Promise<void>,
): Promise<void> {
  try {
    await step()
  } catch (error) {
    log.warn('catalog.claim-left-behind', { key, error })
  }
}

/**
 * Unique names in an object store that has create-if-absent and compare-and-swap, but no conditional delete.
 *
 * A name is an object, the *claim*, which names its owner. The owner is an object, too, and says which names it *wants*:
 * the one it has and the one it is about to get. An owner has a name if its own object says so, and its own object says so
 * only while the owner holds the claim. Five rules guarantee this:
 *
 * 1. An owner first wants the name, then acquires the claim, then takes the name with a compare-and-swap of the version of
 *    its object that has wanted the name all the time. (A change by another process in between makes this swap fail.)
 * 2. To acquire a claim, a process writes it, even if it already names the owner: a new version with a new ETag.
 * 3. A claim is overwritten (acquired or made vacant) only with If-Match on a version after whose read the owner's object
 *    was read and did not want the name. If the owner wants the name later, it has to acquire the claim (2), so that
 *    version is replaced and the If-Match fails. If it wanted the name earlier and holds that version, the read shows it.
 * 4. A claim is never deleted, only made vacant with If-Match. A delete has no condition: one that stalls after its check
 *    would remove a successor's claim, and with it a live collection's name. The cost is one object of about 200 bytes per
 *    name ever used, which nothing lists. ETags never recur (see `document-store.ts`).
 * 5. A claim without a confirming owner means nothing, so it does no harm to leave one behind: the next process that wants
 *    the name acquires it by rule 3. So no failure after the swap of the owner's object can lose anything.
 *
 * Failure cases:
 * - A crash before 2 leaves an owner that wants a name whose claim it does not hold: no effect.
 * - After a crash between 2 and the swap, the next process that reads the claim completes the owner's swap, or makes the
 *   owner stop wanting the name with a swap of its own, and then checks again (`examine`).
 */
import type { LogFields } from '../ports/telemetry.ts'
import type { CatalogDocument, DocumentType } from './document-codec.ts'
import { contended, type DocumentStore, type Versioned } from './document-store.ts'

export interface Claim<T extends CatalogDocument> {
  key: string
  type: DocumentType<T>
  ownerOf(document: Readonly<T>): string | null
  /** The claim's document, vacant for null; unknown fields are copied from `over`. */
  document(owner: string | null, over: Readonly<T> | undefined): Readonly<T>
}

/** `taken`: the owner has the name. `free`: it does not want the name. `again`: an operation was completed; check again. */
export type Verdict = 'taken' | 'free' | 'again'

const TRIES = 50

/**
 * Acquires the claim for an owner that wants it.
 * @param examine reads the object of the claim's current owner, after the claim was read
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

/** Makes the claim vacant if it names `owner` and the owner does not want it. `wants` reads the owner's object. */
export async function vacate<T extends CatalogDocument>(
  documents: DocumentStore,
  claim: Claim<T>,
  owner: string,
  wants: () => Promise<boolean>,
): Promise<void> {
  const current = await documents.read(claim.key, claim.type)
  if (current === undefined || claim.ownerOf(current.document) !== owner || (await wants())) return
  // A lost race is fine: another process acquired the claim, or the owner wants it again.
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

/** Runs a step after the commit point; a failure leaves a claim that means nothing (rule 5), and is logged. */
export async function cleanUp(
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

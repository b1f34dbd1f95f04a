/**
 * The records of one object in one collection, and the fence that keeps stale work out.
 *
 * A worker that stalled may continue at any time after it lost its claim. The claim alone cannot stop it, because the claim
 * may be lost between the worker's look at the state and its write. The log of the collection can:
 * 1. Each object has a fence: an id that no record ever has. A worker that takes over an unfinished claim appends a deletion
 *    of that id. This changes no record, but it is an entry of the log.
 * 2. Every write of records takes a read token, then checks that the claim still holds, then commits on the condition that
 *    the fence has not been touched since the token.
 * So a write after the fence is refused, however long its worker stalled: either the worker sees in step 2 that the claim was
 * lost, or the claim was lost later, and then the fence is later than the token. A write before the fence, or in the same
 * entry, is visible to the worker that fenced, which removes it with the records of other runs.
 */
import { type Collection, isSiltstoneError, type RecordOp } from 'siltstone/internal'

const CONFLICTS_AT_MOST = 100
/** Operations of one commit. */
export const WRITE_OPERATIONS = 1_000

export class ObjectRecords {
  readonly #collection: Collection
  readonly #objectId: string
  /** @throws if the claim was lost */
  readonly #check: () => Promise<void>

  constructor(collection: Collection, objectId: string, check: () => Promise<void>) {
    this.#collection = collection
    this.#objectId = objectId
    this.#check = check
  }

  async fence(): Promise<void> {
    await this.#collection.write([deletion(this.#fenceId)])
  }

  /** Ids of the records of this object; with `run`, of those that other runs wrote. */
  async ids(run?: string): Promise<string[]> {
    const ofObject = { kind: 'compare', key: 'object_id', op: 'eq', value: this.#objectId } as const
    const { ids } = await this.#collection.get({
      filter:
        run === undefined
          ? ofObject
          : {
              kind: 'and',
              clauses: [ofObject, { kind: 'compare', key: 'object_run', op: 'ne', value: run }],
            },
      include: {},
    })
    return ids
  }

  /** Applies the operations, all of them in one commit if there are at most `WRITE_OPERATIONS`. */
  async write(operations: readonly RecordOp[]): Promise<void> {
    for (let at = 0; at < operations.length; at += WRITE_OPERATIONS)
      await this.#commit(operations.slice(at, at + WRITE_OPERATIONS))
  }

  async removeAll(): Promise<void> {
    await this.write((await this.ids()).map(deletion))
  }

  async #commit(operations: readonly RecordOp[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const readToken = await this.#collection.readToken()
      await this.#check()
      try {
        await this.#collection.commitIf({ readToken, readIds: [this.#fenceId], operations })
        return
      } catch (error) {
        // The fence was touched, or the log was folded or reset: what counts is whether the claim holds.
        if (!isSiltstoneError(error, 'conflict') || attempt >= CONFLICTS_AT_MOST) throw error
      }
    }
  }

  get #fenceId(): string {
    return `${this.#objectId}#fence`
  }
}

export function deletion(id: string): RecordOp {
  return { op: 'delete', id, vector: null, document: null, metadata: null, uri: null }
}

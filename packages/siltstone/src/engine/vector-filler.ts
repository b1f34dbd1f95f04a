/** Makes the sparse vectors that a collection's schema asks for and its writers did not send, in slices. */
import { yieldToEventLoop } from '#codec'
import type { RecordOp } from '../model/record.ts'
import { Pacer } from '../pacer.ts'
import { SparseFillIn } from '../word-index/fill-in.ts'

/** Characters that are cut into words between two pauses: some 10 ms. */
const PAUSE_AFTER = 100_000

export class VectorFiller {
  #schema: Record<string, unknown> | null = null
  #fillIn = new SparseFillIn(null)
  /** Resolves when the calls so far are done, so that a short one does not overtake a long one. */
  #before: Promise<unknown> = Promise.resolve()

  /** @param schema the collection's at present @returns the same operations at once when the schema asks for none @throws SiltstoneError `invalid` (`bad-bm25-config`) */
  fill(
    schema: Record<string, unknown> | null,
    operations: readonly RecordOp[],
  ): readonly RecordOp[] | Promise<readonly RecordOp[]> {
    if (schema !== this.#schema) {
      this.#schema = schema
      this.#fillIn = new SparseFillIn(schema)
    }
    if (!this.#fillIn.isNeeded) return operations
    const fillIn = this.#fillIn
    const filled = this.#before.then(() => filledBy(fillIn, operations))
    this.#before = filled.catch(() => undefined)
    return filled
  }
}

async function filledBy(fillIn: SparseFillIn, operations: readonly RecordOp[]): Promise<RecordOp[]> {
  const pacer = new Pacer(PAUSE_AFTER, yieldToEventLoop)
  const filled: RecordOp[] = []
  for (const operation of operations) {
    filled.push(fillIn.filled(operation))
    const due = pacer.spend(operation.document?.length ?? 0)
    if (due) await due
  }
  return filled
}

/** Chooses a processor by content. */
import { contentType, HEAD_BYTES } from './detect/content-type.ts'
import { unsupportedType } from './failures.ts'
import type { Processor, RandomAccess } from './processor.ts'

export interface Choice {
  processor: Processor
  /** 0 to 1, what the processor said of itself. */
  score: number
}

/**
 * The processor with the highest score; among equals the first.
 * @param type the content type that was stored with the object
 * @throws SiltstoneError `unsupported` (unsupported-type) if none accepts the content
 */
export async function chooseProcessor(
  processors: readonly Processor[],
  source: RandomAccess,
  type: string,
): Promise<Choice> {
  const head = await source.read(0, HEAD_BYTES)
  let best: Choice | undefined
  for (const processor of processors) {
    const score = processor.accepts(type, head)
    if (score > (best?.score ?? 0)) best = { processor, score }
  }
  if (best) return best
  const is = source.sizeBytes === 0 ? 'is empty' : `is ${contentType(head, type)}`
  throw unsupportedType(`the object ${is}; no processor accepts that`)
}

/** Asks the questions and shows the best passages. */
import type { Embedder } from '../../../embed/port.ts'
import type { CollectionInfo } from '../../../model/collection.ts'
import { metadataToPlain } from '../../../records/index.ts'
import { cut, duration, wrap } from '../../format.ts'
import type { Session } from '../../session.ts'

const PASSAGES_EACH = 2

export interface Answer {
  question: string
  ms: number
  passages: { source: string; heading: string; position: number; distance: number; text: string }[]
}

export async function ask(
  session: Session,
  info: CollectionInfo,
  embedder: Embedder,
  questions: readonly string[],
): Promise<Answer[]> {
  const collection = await session.engine.collection(info.tenant, info.database, info.id)
  const answers: Answer[] = []
  for (const question of questions) {
    const beganMs = session.env.clock.monotonicMs()
    const vectors = await embedder.embed([question])
    const { hits } = await collection.query({
      vectors,
      k: PASSAGES_EACH,
      include: { documents: true, metadatas: true },
    })
    const ms = session.env.clock.monotonicMs() - beganMs
    const [first] = hits
    const passages = (first?.ids ?? []).map((_, i) => {
      const { source, heading, position } = metadataToPlain(first?.metadatas?.[i] ?? null) ?? {}
      return {
        source: String(source),
        heading: String(heading),
        position: Number(position),
        distance: first?.distances[i] ?? Number.NaN,
        text: first?.documents?.[i] ?? '',
      }
    })
    answers.push({ question, ms, passages })
  }
  return answers
}

export function answersText(answers: readonly Answer[], columns: number): string {
  return answers
    .map(({ question, ms, passages }) => {
      const lines = passages.map(
        ({ source, heading, position, distance, text }) =>
          `    ${distance.toFixed(3)}  ${source}${heading ? ` > ${cut(heading, 50)}` : ''} (passage ${position})\n` +
          wrap(text, Math.max(40, columns - 12), 3)
            .map((line) => `           ${line}\n`)
            .join(''),
      )
      return `  ${question}  (${duration(ms)})\n${lines.join('')}`
    })
    .join('\n')
}

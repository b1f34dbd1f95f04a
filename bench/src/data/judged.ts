/** Judged queries: `cranfield/` of `--data DIR` (documents.jsonl, queries.jsonl, qrels.tsv), and how well a ranking does. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Judged {
  documents: { id: string; text: string }[]
  queries: { id: string; text: string }[]
  /** Query → relevant documents. */
  relevant: Map<string, Set<string>>
}

/** @returns undefined if the directory has none */
export function loadJudged(directory: string): Judged | undefined {
  const folder = join(directory, 'cranfield')
  if (!existsSync(folder)) return undefined
  const lines = (name: string) => readFileSync(join(folder, name), 'utf8').trim().split('\n')
  const texts = (name: string) => lines(name).map((line) => JSON.parse(line) as { id: string; text: string })
  const relevant = new Map<string, Set<string>>()
  for (const line of lines('qrels.tsv').slice(1)) {
    const [query = '', document = '', grade = ''] = line.split('\t')
    // Grades 1 to 4 are relevant alike; −1 is not.
    if (Number(grade) <= 0) continue
    const documents = relevant.get(query) ?? new Set()
    relevant.set(query, documents.add(document))
  }
  return { documents: texts('documents.jsonl'), queries: texts('queries.jsonl'), relevant }
}

/** nDCG@10 with binary gains and a discount of log2, as trec_eval has it; the mean over judged queries. */
export async function meanNdcg(judged: Judged, rank: (text: string) => Promise<readonly string[]>): Promise<number> {
  let sum = 0
  let queries = 0
  const discount = (i: number) => 1 / Math.log2(i + 2)
  for (const { id, text } of judged.queries) {
    const relevant = judged.relevant.get(id)
    if (!relevant) continue
    queries++
    const found = (await rank(text)).slice(0, 10)
    const gain = found.reduce((total, document, i) => total + (relevant.has(document) ? discount(i) : 0), 0)
    const ideal = Array.from({ length: Math.min(10, relevant.size) }, (_, i) => discount(i)).reduce((a, b) => a + b, 0)
    sum += gain / ideal
  }
  return sum / queries
}

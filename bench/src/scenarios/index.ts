import { cold } from './cold.ts'
import { embedder } from './embedder.ts'
import { filtered } from './filtered.ts'
import { get } from './get.ts'
import { ingest } from './ingest.ts'
import { compaction, memory } from './memory.ts'
import { query } from './query.ts'
import type { Scenario } from './scenario.ts'
import { updates } from './updates.ts'

export const scenarios: Record<string, Scenario> = {
  ingest,
  query,
  filtered,
  get,
  compaction,
  memory,
  updates,
  embedder,
  cold,
}

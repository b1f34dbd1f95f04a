import { build } from './build.ts'
import { cold } from './cold.ts'
import { curve } from './curve.ts'
import { embedder } from './embedder.ts'
import { filters } from './filters.ts'
import { compactors } from './compactors.ts'
import { get } from './get.ts'
import { heartbeat } from './heartbeat.ts'
import { http } from './http.ts'
import { hybrid } from './hybrid.ts'
import { ingest } from './ingest.ts'
import { media } from './media.ts'
import { pages } from './pages.ts'
import { questions } from './questions.ts'
import { republish } from './republish.ts'
import { recall } from './recall.ts'
import { invocations } from './invocations.ts'
import { paragraphs } from './paragraphs.ts'
import { processFiles } from './process.ts'
import { loading } from './loading.ts'
import { objects } from './objects.ts'
import { objectsMemory } from './objects-memory.ts'
import { objectsSearchable } from './objects-searchable.ts'
import { registry } from './registry.ts'
import { registryTransfer } from './registry-transfer.ts'
import type { Scenario } from './scenario.ts'
import { speech } from './speech.ts'
import { start } from './start.ts'
import { sustained } from './sustained.ts'
import { updates } from './updates.ts'
import { words } from './words.ts'
import { writers } from './writers.ts'

/** In the order of RESULTS.md. */
export const scenarios: Record<string, Scenario> = {
  ingest,
  loading,
  sustained,
  http,
  start,
  get,
  heartbeat,
  curve,
  filters,
  recall,
  build,
  cold,
  updates,
  embedder,
  words,
  hybrid,
  paragraphs,
  pages,
  republish,
  questions,
  writers,
  compactors,
  invocations,
  process: processFiles,
  objects,
  'objects-searchable': objectsSearchable,
  'objects-memory': objectsMemory,
  media,
  speech,
  registry,
  'registry-transfer': registryTransfer,
}

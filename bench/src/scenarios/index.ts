import { ingest } from './ingest.ts'
import { query } from './query.ts'
import { filtered } from './filtered.ts'
import { get } from './get.ts'
import type { Scenario } from './scenario.ts'

export const scenarios: Record<string, Scenario> = { ingest, query, filtered, get }

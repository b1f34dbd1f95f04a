/** What a process and its compaction thread tell each other. */
import type { LogFields } from '../ports/telemetry.ts'

/** Beside a server, which answers queries and takes writes at the same time. */
export const DEFAULT_COMPACTION_MB = 192

export interface CompactionData {
  directory: string
  allowNetworkFilesystem: boolean
  /** Memory that compaction may hold, about. Default `DEFAULT_COMPACTION_MB`. */
  memoryMb?: number | undefined
}

export interface StopMessage {
  kind: 'stop'
}

export type FromCompaction =
  | { kind: 'ready' }
  | { kind: 'stopped' }
  /** A fold or a merge of this collection was committed. */
  | { kind: 'committed'; path: string }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; event: string; fields: LogFields }
  | {
      kind: 'metric'
      how: 'count' | 'gauge' | 'observe'
      name: string
      value: number
      labels: Readonly<Record<string, string>>
    }

/** What a process and its compaction thread tell each other. */
import type { LogFields } from '../ports/telemetry.ts'

export interface CompactionData {
  directory: string
  allowNetworkFilesystem: boolean
}

export interface StopMessage {
  kind: 'stop'
}

export type FromCompaction =
  | { kind: 'ready' }
  | { kind: 'stopped' }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; event: string; fields: LogFields }
  | {
      kind: 'metric'
      how: 'count' | 'gauge' | 'observe'
      name: string
      value: number
      labels: Readonly<Record<string, string>>
    }

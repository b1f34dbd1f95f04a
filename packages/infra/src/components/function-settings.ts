/** Memory, disk and environment of each function. */
import { checkInteger } from '../errors.ts'
import type { FunctionName } from '../names.ts'

/** The namespace of the metrics that the functions write to their logs. */
export const METRICS_NAMESPACE = 'ChromaDB/Compaction'

export interface FunctionSettings {
  memoryMb: number
  timeoutSeconds: number
  /** Size of `/tmp`: the query function's cache, the compactor's scratch space. */
  diskMb: number
}

/** 1,769 MB is one processor. New accounts allow at most 3,008 MB. */
export const DEFAULT_SETTINGS: Readonly<Record<FunctionName, FunctionSettings>> = {
  producer: { memoryMb: 1_024, timeoutSeconds: 300, diskMb: 512 },
  compactor: { memoryMb: 3_008, timeoutSeconds: 900, diskMb: 10_240 },
  query: { memoryMb: 1_769, timeoutSeconds: 60, diskMb: 4_096 },
  api: { memoryMb: 1_769, timeoutSeconds: 60, diskMb: 2_048 },
}

/** @throws InvalidArgument for values that Lambda does not allow */
export function functionSettings(name: FunctionName, changes: Partial<FunctionSettings> = {}): FunctionSettings {
  const settings = { ...DEFAULT_SETTINGS[name], ...changes }
  checkInteger(`${name}.memoryMb`, settings.memoryMb, 128, 10_240)
  checkInteger(`${name}.timeoutSeconds`, settings.timeoutSeconds, 1, 900)
  checkInteger(`${name}.diskMb`, settings.diskMb, 512, 10_240)
  return settings
}

/**
 * Settings of a function that is a component of its own.
 * @param least what its work needs
 * @throws InvalidArgument
 */
export function componentSettings(
  defaults: FunctionSettings,
  changes: Partial<FunctionSettings> | undefined,
  least: Pick<FunctionSettings, 'memoryMb' | 'timeoutSeconds'>,
): FunctionSettings {
  const settings = { ...defaults, ...changes }
  checkInteger('settings.memoryMb', settings.memoryMb, least.memoryMb, 10_240)
  checkInteger('settings.timeoutSeconds', settings.timeoutSeconds, least.timeoutSeconds, 900)
  checkInteger('settings.diskMb', settings.diskMb, 512, 10_240)
  return settings
}

export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

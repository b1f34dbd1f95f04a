/**
 * `size_score`: whether the model fits into the memory of four kinds of machine. It needs 1.2 times its weights. The value is 1 up to
 * half the budget, and falls linearly to 0 at the budget.
 */
import { clamp, type Device, DEVICES, type Metric, unknownMeasurement } from './measurement.ts'
import { loadableWeights } from './weights.ts'

const GIB = 2 ** 30
const OVERHEAD = 1.2

/** Memory, bytes. */
export const DEFAULT_BUDGETS: Readonly<Record<Device, number>> = {
  raspberry_pi: 2 * GIB,
  jetson_nano: 4 * GIB,
  desktop_pc: 16 * GIB,
  aws_server: 64 * GIB,
}

const perDevice = (valueFor: (device: Device) => number): Record<Device, number> => ({
  raspberry_pi: valueFor('raspberry_pi'),
  jetson_nano: valueFor('jetson_nano'),
  desktop_pc: valueFor('desktop_pc'),
  aws_server: valueFor('aws_server'),
})

export function sizeScore(budgets: Readonly<Record<Device, number>> = DEFAULT_BUDGETS): Metric {
  return {
    name: 'size_score',
    reads: ['files', 'texts', 'hub'],
    measure(evidence) {
      const { files } = evidence
      const weights = loadableWeights(evidence)
      if (weights === undefined) {
        const why = files.state === 'unknown' ? `files not listed: ${files.reason}` : 'no weights of known size'
        return { ...unknownMeasurement(why, files.source), devices: perDevice(() => 0) }
      }
      const needBytes = OVERHEAD * weights.sizeBytes
      const devices = perDevice((device) => fit(needBytes, budgets[device]))
      const reasons = DEVICES.map((device) => ({
        text: `${device}: ${devices[device].toFixed(2)}, needs ${gib(needBytes)} of ${gib(budgets[device])} (${weights.text})`,
        source: files.source,
        points: devices[device] / DEVICES.length,
      }))
      return {
        value: clamp(reasons.reduce((sum, { points }) => sum + points, 0)),
        status: files.state === 'unknown' ? 'partial' : 'measured',
        reasons,
        devices,
      }
    },
  }
}

export const fit = (needBytes: number, budgetBytes: number): number => clamp(2 * (1 - needBytes / budgetBytes))
const gib = (bytes: number) => `${(bytes / GIB).toFixed(2)} GiB`

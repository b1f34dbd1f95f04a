/** `dataset_quality`: how well the linked datasets are described; the mean over all of them. */
import type { DatasetFacts } from '../evidence/evidence.ts'
import { measurement, type Metric, unknownMeasurement } from './measurement.ts'

const POPULARITY = 0.1
/** A million downloads count in full. */
const POPULARITY_DIGITS = 6

export const datasetQuality: Metric = {
  name: 'dataset_quality',
  reads: ['datasets'],
  measure({ datasets }) {
    if (datasets.state === 'unknown')
      return unknownMeasurement(`datasets not asked: ${datasets.reason}`, datasets.source)
    if (datasets.state === 'absent' || datasets.value.length === 0) {
      return unknownMeasurement('no dataset is linked', datasets.source)
    }
    const all = datasets.value
    const reasons = all.map((dataset) => {
      const { value, has } = qualityOf(dataset)
      return {
        text: `${dataset.id}: ${value.toFixed(2)} for ${has}`,
        source: datasets.source,
        points: value / all.length,
      }
    })
    const isPartial = datasets.limits !== undefined || all.some(({ downloads }) => downloads === null)
    return measurement(reasons, isPartial ? 'partial' : 'measured')
  },
}

export function qualityOf(dataset: DatasetFacts): { value: number; has: string } {
  const parts: [number, string, boolean][] = [
    [0.2, 'card', dataset.hasCard],
    [0.2, 'licence', dataset.licence !== null],
    [0.15, 'size', dataset.hasSize],
    [0.2, 'features', dataset.hasFeatures],
    [0.15, 'provenance', dataset.hasProvenance],
  ]
  const present = parts.filter(([, , isPresent]) => isPresent)
  const popularity = POPULARITY * Math.min(1, Math.log10((dataset.downloads ?? 0) + 1) / POPULARITY_DIGITS)
  return {
    value: present.reduce((sum, [points]) => sum + points, popularity),
    has: [...present.map(([, name]) => name), `${dataset.downloads ?? 'an unknown number of'} downloads`].join(', '),
  }
}

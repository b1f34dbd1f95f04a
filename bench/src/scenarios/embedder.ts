/** The default embedder: how long it takes to load in a new process, and passages per second on one thread. */
import { execFileSync } from 'node:child_process'
import { EnglishEmbedder, systemModels } from 'siltstone/internal'
import type { Row } from '../measure/report.ts'
import { median, percentile } from '../measure/statistics.ts'
import { REPOSITORY } from '../places.ts'
import type { Scenario } from './scenario.ts'

const LOADS = 9
const SLICE = 10_000

export const embedder: Scenario = {
  about: 'the default embedder: loading, passages and tokens a second on one thread',
  records: [100_000],
  run: async (_options, report, open) => {
    const data = open()
    const loads = Array.from({ length: LOADS }, loadInNewProcess)
    const model = new EnglishEmbedder({ models: systemModels })
    await model.embed(['warm'])
    const rates: number[] = []
    const rows: Row[] = []
    let seconds = 0
    let tokens = -model.usage.tokens
    const before = process.cpuUsage()
    for (let start = 0; start < data.count; start += SLICE) {
      const texts = Array.from({ length: Math.min(SLICE, data.count - start) }, (_, i) => data.document(start + i))
      const startedMs = performance.now()
      await model.embed(texts)
      const took = (performance.now() - startedMs) / 1000
      seconds += took
      rates.push(texts.length / took)
    }
    const { user, system } = process.cpuUsage(before)
    tokens += model.usage.tokens
    rates.sort((a, b) => a - b)
    rows.push({
      passages: data.count,
      'tokens a passage': tokens / data.count,
      'passages/s (median slice)': median(rates),
      'passages/s (fastest slice)': percentile(rates, 1),
      'passages per CPU second': (1e6 * data.count) / (user + system),
      'tokens/s': tokens / seconds,
      'import ms': median(loads.map(({ importMs }) => importMs)),
      'load ms': median(loads.map(({ loadMs }) => loadMs)),
      'RSS MB after loading': median(loads.map(({ rssMb }) => rssMb)),
    })
    report.table(`Default embedder on ${data.name}`, rows)
  },
}

interface Loaded {
  importMs: number
  loadMs: number
  rssMb: number
}

function loadInNewProcess(): Loaded {
  const program = `
    const began = performance.now()
    const { loadEnglishModel } = await import('./packages/siltstone/src/embed/english/index.ts')
    const { systemModels } = await import('./packages/siltstone/src/host/model-host.ts')
    const imported = performance.now()
    await loadEnglishModel(systemModels.readPackageFiles)
    const loaded = performance.now()
    console.log(JSON.stringify({ importMs: imported - began, loadMs: loaded - imported, rssMb: process.memoryUsage().rss / 1e6 }))`
  const args = ['--input-type=module', '-e', program]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: REPOSITORY, encoding: 'utf8' })) as Loaded
}

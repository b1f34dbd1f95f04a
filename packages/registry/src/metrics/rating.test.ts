import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Evidence, evidenceDigest, found, type Json, PART_NAMES, unknownPart } from '../evidence/evidence.ts'
import { commit, completeEvidence, emptyEvidence, unknownEvidence } from '../testing/evidence.ts'
import { explain, toModelRating } from './explain.ts'
import { type Measurement, METRICS, type Status } from './measurement.ts'
import { netScoreOf, rate, WEIGHTS } from './rating.ts'

/** Each reading of the clock is 1 ms later. */
const ticking = () => {
  let nowMs = 0
  return { monotonicMs: () => nowMs++ }
}
const rated = (evidence: Evidence) => rate(evidence, ticking())

/** Evidence with any of its parts from any of three artifacts. */
const anyEvidence = fc
  .record(
    Object.fromEntries(
      PART_NAMES.map((name) => [
        name,
        fc.constantFrom(completeEvidence()[name], emptyEvidence()[name], unknownEvidence()[name]),
      ]),
    ),
  )
  .map((parts) => ({ ...completeEvidence(), ...parts }) as Evidence)

const value = fc.constantFrom<Json>(
  null,
  true,
  -1,
  'mit',
  '',
  [],
  {},
  ['mit', 3],
  { task: null },
  { metrics: [{ value: 1 }] },
)
const json = fc.oneof(
  value,
  fc.array(value, { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('results', 'dataset', 'metrics', 'source', 'type'), value),
  fc.tuple(value, value).map(([dataset, metrics]): Json => ({ results: [{ dataset, metrics, source: dataset }] })),
)

describe('every rating', () => {
  it('is within its range, adds up from its reasons, and depends on nothing else', () => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const rating = rated(evidence)
        for (const measured of [rating.netScore, ...METRICS.map((name) => rating.metrics[name])]) {
          if (measured.status === 'unknown') expect(measured.value).toBe(0)
          if (measured.status !== 'not_applicable') expect(measured.value).toBeGreaterThanOrEqual(0)
          expect(measured.value).toBeLessThanOrEqual(1)
          expect(measured.reasons.length).toBeGreaterThan(0)
          expect(measured.reasons.reduce((sum, { points }) => sum + points, 0)).toBeCloseTo(measured.value, 9)
        }
        expect(rated(structuredClone(evidence))).toEqual(rating)
      }),
    )
  })

  it('never rises when a source falls silent', () => {
    fc.assert(
      fc.property(anyEvidence, fc.constantFrom(...PART_NAMES), (evidence, part) => {
        const before = rated(evidence)
        const after = rated({ ...evidence, [part]: unknownPart('HTTP 503', 'x') })
        // Not the licence: a place that is not read may be the one that states a stricter licence. Not the authors: the card's
        // history stands in for the code's.
        for (const name of METRICS) {
          if (name === 'license' || name === 'bus_factor') continue
          if (before.metrics[name].status === 'not_applicable') continue
          expect(after.metrics[name].value).toBeLessThanOrEqual(before.metrics[name].value)
        }
      }),
    )
  })

  it('any texts are rated', () => {
    fc.assert(
      fc.property(fc.string(), json, (text, json) => {
        const card = { license: json, 'model-index': json, datasets: json, eval_results: json } as never
        const evidence = emptyEvidence({
          readme: found(`## License\n${text}`, 'x'),
          card: found(card, 'x'),
          texts: found({ LICENSE: text, 'requirements.txt': text, 'model.safetensors.index.json': text }, 'x'),
        })
        expect(rated(evidence).netScore.value).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('text that is long and hostile takes time in proportion to its length', () => {
    // Each of these took minutes if an expression backtracked; the test would hit its time limit.
    const units = [
      '[',
      '|',
      '-',
      '- |',
      '# ',
      ' ',
      '\n',
      '---\n',
      'trained on ',
      'accuracy ',
      'a|b\n',
      '"',
      '.',
      'https://',
    ]
    for (const unit of [...units, '```\n', '\nfrom a', ' #\u2028']) {
      const text = `## License\n${unit.repeat(Math.floor(60_000 / unit.length))}x\n\`\`\`python\n${unit.repeat(Math.floor(60_000 / unit.length))}x`
      const texts = found({ LICENSE: text, 'requirements.txt': text }, 'x')
      expect(rated(emptyEvidence({ readme: found(text, 'x'), texts })).netScore.value).toBeLessThan(1)
    }
  })
})

describe('net score', () => {
  const make = (value: number, status: Status): Measurement => ({ value, status, reasons: [] })
  const all = (value: number, status: Status = 'measured') =>
    Object.fromEntries(METRICS.map((name) => [name, make(value, status)])) as Record<
      (typeof METRICS)[number],
      Measurement
    >

  it('has weights that add up to 1', () => {
    expect(Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12)
  })

  it('leaves out what is not applicable and counts unknown as 0', () => {
    expect(netScoreOf(all(1))).toMatchObject({ value: 1, status: 'measured' })
    expect(netScoreOf({ ...all(1), reviewedness: make(-1, 'not_applicable') })).toMatchObject({
      value: 1,
      status: 'measured',
    })
    expect(netScoreOf({ ...all(1), license: make(0, 'unknown') })).toMatchObject({ value: 0.85, status: 'partial' })
    expect(netScoreOf(all(0, 'unknown'))).toMatchObject({ value: 0, status: 'unknown' })
    expect(netScoreOf(all(-1, 'not_applicable')).value).toBe(0)
  })

  it('never falls when one metric rises', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(...METRICS), (value, name) => {
        const better = netScoreOf({ ...all(0.5), [name]: make(Math.max(0.5, value), 'measured') })
        expect(better.value).toBeGreaterThanOrEqual(netScoreOf(all(0.5)).value)
      }),
    )
  })
})

describe('monotonic in the evidence', () => {
  it('bus_factor rises with each further equal author', () => {
    const names = ['ada', 'ben', 'cyd', 'dot', 'eva', 'fay']
    const values = names.map((_, count) => {
      const commits = names.slice(0, count + 1).map((login) => commit(login, login))
      return rated(emptyEvidence({ commits: found(commits, 'x') })).metrics.bus_factor.value
    })
    expect(values).toEqual(values.toSorted((a, b) => a - b))
    expect(values[0]).toBe(0)
    expect(values[4]).toBe(1)
  })

  it('size_score falls with each byte', () => {
    const value = (sizeBytes: number) =>
      rated(emptyEvidence({ files: found([{ path: 'model.safetensors', sizeBytes }], 'x') })).metrics.size_score.value
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.nat(2 ** 31), (a, b) => {
        expect(value(30 * (a + b))).toBeLessThanOrEqual(value(30 * a))
      }),
    )
  })
})

describe('digest and latency', () => {
  it('the digest ignores times and the order of properties, and nothing else', () => {
    const evidence = completeEvidence()
    const reordered = Object.fromEntries(Object.entries(evidence).toReversed()) as unknown as Evidence
    expect(evidenceDigest(reordered)).toBe(evidenceDigest(evidence))
    expect(evidenceDigest({ ...evidence, readme: { ...evidence.readme, tookMs: 999 } })).toBe(evidenceDigest(evidence))
    expect(evidenceDigest({ ...evidence, observedOn: '2026-11-02' })).not.toBe(evidenceDigest(evidence))
  })

  it('the latency is what was spent on the parts and on computing', () => {
    const { latencyMs } = rated(completeEvidence())
    // The times of `reads` in testing/evidence.ts, and one tick.
    expect(latencyMs).toMatchObject({ reviewedness: 81, tree_score: 1, code_quality: 86, ramp_up_time: 51 })
    expect(latencyMs.net_score).toBeGreaterThanOrEqual(280)
  })
})

describe('explained', () => {
  it.each([
    ['complete', completeEvidence()],
    ['empty', emptyEvidence()],
    ['unknown', unknownEvidence()],
  ])('%s', async (name, evidence) => {
    await expect(`${explain(rated(evidence))}\n`).toMatchFileSnapshot(`golden/${name}.txt`)
  })

  it('has the 26 properties of the contract', () => {
    const body = toModelRating(rated(completeEvidence()), 'tern-small', 'model')
    expect(Object.keys(body)).toHaveLength(26)
    expect(body['reviewedness_latency']).toBe(0.081)
    expect(Object.keys(body['size_score'] as object)).toEqual([
      'raspberry_pi',
      'jetson_nano',
      'desktop_pc',
      'aws_server',
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { absent, type Evidence, found, type JsonObject, unknownPart } from '../evidence/evidence.ts'
import { commit, completeEvidence, emptyEvidence, README, unknownEvidence } from '../testing/evidence.ts'
import { busFactor } from './bus-factor.ts'
import { codeQuality } from './code-quality.ts'
import { datasetAndCodeScore } from './dataset-and-code-score.ts'
import { datasetQuality } from './dataset-quality.ts'
import { license } from './license.ts'
import type { Metric } from './measurement.ts'
import { performanceClaims } from './performance-claims.ts'
import { rampUpTime } from './ramp-up-time.ts'
import { reproducibility } from './reproducibility.ts'
import { reviewedness } from './reviewedness.ts'
import { fit, sizeScore } from './size-score.ts'
import { treeScore } from './tree-score.ts'

const GIB = 2 ** 30
const of = (metric: Metric, evidence: Evidence) => {
  const { value, status } = metric.measure(evidence)
  return [Math.round(value * 1_000) / 1_000, status]
}
const withCard = (card: JsonObject) => emptyEvidence({ card: found(card, 'card') })
const withReadme = (readme: string) => emptyEvidence({ readme: found(readme, 'upload') })

describe('ramp_up_time', () => {
  it('adds up sections, length, code, facts and examples', () => {
    const words = (count: number) => withReadme(`# x\n\n${'word '.repeat(count - 1)}`)
    expect(of(rampUpTime, words(400))).toEqual([0.2, 'measured'])
    expect(of(rampUpTime, words(4_000))).toEqual([0.2, 'measured'])
    expect(of(rampUpTime, words(200))).toEqual([0.1, 'measured'])
    expect(rampUpTime.measure(completeEvidence()).value).toBeGreaterThan(0.8)
  })

  it('a code block has to name the repository or a loader', () => {
    const block = (code: string) => withReadme(`\`\`\`python\n${code}\n\`\`\`\n`)
    expect(of(rampUpTime, block('print(1)'))[0]).toBe(0)
    expect(of(rampUpTime, block('AutoModel.from_pretrained("x")'))[0]).toBe(0.25)
  })

  it('no README is 0, an unread one is unknown', () => {
    expect(of(rampUpTime, emptyEvidence())).toEqual([0, 'measured'])
    expect(of(rampUpTime, unknownEvidence())).toEqual([0, 'unknown'])
    expect(of(rampUpTime, completeEvidence({ hub: unknownPart('HTTP 503', 'hub') }))[1]).toBe('partial')
  })
})

describe('bus_factor', () => {
  const by = (...logins: string[]) =>
    emptyEvidence({
      commits: found(
        logins.map((login, index) => commit(`${index}`, login)),
        'hub',
      ),
    })

  it.each([
    [['ada'], 0],
    [['ada', 'ada', 'ada'], 0],
    [['ada', 'ben'], 0.25],
    [['ada', 'ben', 'cyd', 'dot', 'eva'], 1],
    [['ada', 'ben', 'cyd', 'dot', 'eva', 'fay', 'gil'], 1],
    [['ada', 'renovate[bot]', 'github-actions'], 0],
  ])('%j: %d', (logins, value) => {
    expect(of(busFactor, by(...logins))).toEqual([value, 'measured'])
  })

  it('joins the addresses of one person', () => {
    const commits = [
      { ...commit('1', 'ada'), author: { name: 'Ada Byron', email: 'ada@work.test', login: null } },
      { ...commit('2', 'ada'), author: { name: 'ada byron', email: 'ada@home.test', login: null } },
      { ...commit('3', 'ada'), author: { name: 'A', email: 'ada@home.test', login: 'ada' } },
    ]
    expect(of(busFactor, emptyEvidence({ commits: found(commits, 'hub') }))).toEqual([0, 'measured'])
    const twoAdas = [
      { ...commit('1', 'x'), author: { name: 'Ada', email: 'a@one.test', login: null } },
      { ...commit('2', 'x'), author: { name: 'Ada', email: 'b@two.test', login: null } },
    ]
    expect(of(busFactor, emptyEvidence({ commits: found(twoAdas, 'hub') }))[0]).toBe(0.25)
  })

  it('halves the value of a dormant repository, and prefers recent commits', () => {
    const old = ['ada', 'ben'].map((login, index) => commit(`${index}`, login, '2020-01-01T00:00:00Z'))
    expect(of(busFactor, emptyEvidence({ commits: found(old, 'hub') }))[0]).toBe(0.125)
    expect(of(busFactor, emptyEvidence({ commits: found([...old, commit('n', 'ada')], 'hub') }))[0]).toBe(0)
  })

  it('does not guess', () => {
    expect(of(busFactor, emptyEvidence())).toEqual([0, 'unknown'])
    expect(of(busFactor, by('dependabot[bot]'))).toEqual([0, 'unknown'])
    expect(of(busFactor, unknownEvidence())).toEqual([0, 'unknown'])
  })
})

describe('performance_claims', () => {
  const result = (more: JsonObject, dataset: JsonObject = { type: 'squalls' }, metric: JsonObject = {}) =>
    withCard({
      'model-index': [
        { results: [{ task: { type: 'qa' }, dataset, metrics: [{ type: 'f1', value: 80, ...metric }], ...more }] },
      ],
    })
  const source = { source: { url: 'https://hub.test/run' } }

  it.each<[string, Evidence, number]>([
    ['nothing', emptyEvidence(), 0],
    ['prose', withReadme('It reaches an accuracy of 91 %.'), 0.3],
    ['a number without a metric', withReadme('It has 7 layers.'), 0],
    ['a table', withReadme('| data | F1 |\n|---|---|\n| a | 0.8 |\n'), 0.6],
    ['a table of something else', withReadme('| file | size |\n|---|---|\n| a | 8 |\n'), 0],
    ['model-index', result({}), 0.6],
    ['with a source but no configuration', result(source), 0.6],
    ['with configuration and source', result(source, { type: 'squalls', config: 'en' }), 0.8],
    ['called verified by its own card', result({}, { type: 'squalls' }, { verified: true }), 0.6],
    ['without a value', result({}, { type: 'squalls' }, { value: 'high' }), 0],
  ])('%s: %s', (_name, evidence, value) => {
    expect(of(performanceClaims, evidence)).toEqual([value, 'measured'])
  })

  it('verified by the hub', () => {
    const { card } = result({}, { type: 'squalls' }, { verified: true, verifyToken: 'e30' })
    expect(of(performanceClaims, completeEvidence({ card }))[0]).toBe(1)
    expect(of(performanceClaims, emptyEvidence({ card }))[0]).toBe(0.6)
  })

  it.each([
    [80, 1],
    [78, 0.5],
    [82, 0.5],
    [76, 0],
    [10, 0],
  ])('a report of %d for a claim of 80: %d', (observed, value) => {
    const report = { dataset: 'Squalls', metric: 'F1', observed, url: 'https://runs.test/1' }
    expect(of(performanceClaims, { ...result({}), reports: found([report], 'registry') })[0]).toBe(value)
  })

  it('a report about something else changes nothing', () => {
    const report = { dataset: 'other', metric: 'f1', observed: 1, url: 'https://runs.test/1' }
    expect(of(performanceClaims, { ...result({}), reports: found([report], 'registry') })[0]).toBe(0.6)
  })
})

describe('license', () => {
  it.each<[JsonObject, number]>([
    [{ license: 'mit' }, 1],
    [{ license: 'cc-by-4.0' }, 0.8],
    [{ license: 'gpl-3.0' }, 0.5],
    [{ license: 'openrail' }, 0.5],
    [{ license: 'agpl-3.0' }, 0.4],
    [{ license: 'llama3.1' }, 0.4],
    [{ license: 'cc-by-nc-4.0' }, 0.1],
    [{ license: 'other' }, 0.3],
    [{ license: 'other', license_name: 'gemma' }, 0.4],
    [{ license: ['mit', 'gpl-2.0'] }, 0.5],
    [{ license: 'MIT OR GPL-3.0-only' }, 1],
    [{ license: 'unknown' }, 0],
    [{}, 0],
  ])('%j: %d', (card, value) => {
    expect(of(license, withCard(card))).toEqual([value, 'measured'])
  })

  it('takes the strictest of sources that disagree, and says so', () => {
    const evidence = emptyEvidence({
      card: found({ license: 'mit' }, 'card'),
      texts: found({ LICENSE: 'GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007\n' }, 'upload'),
    })
    const { value, reasons } = license.measure(evidence)
    expect(value).toBe(0.5)
    expect(reasons.map(({ text }) => text).join()).toContain('disagree')
  })

  it('reads a LICENSE file and a README', () => {
    const file = (text: string) => emptyEvidence({ texts: found({ 'LICENSE.txt': text }, 'upload') })
    expect(of(license, file('   Apache License\n   Version 2.0, January 2004'))[0]).toBe(1)
    expect(of(license, file('Apache License\nVersion 2.0\nwith the Commons Clause'))[0]).toBe(0.3)
    expect(of(license, file('You may look at it.'))[0]).toBe(0.3)
    expect(of(license, withReadme('## License\n\nReleased under the Apache License, Version 2.0.\n'))[0]).toBe(1)
    expect(of(license, withReadme('## License\n\nCC-BY-NC-4.0, see below.\n'))[0]).toBe(0.1)
  })

  it('does not guess', () => {
    expect(of(license, unknownEvidence())).toEqual([0, 'unknown'])
    expect(of(license, unknownEvidence({ card: found({ license: 'mit' }, 'card') }))).toEqual([1, 'partial'])
  })
})

describe('dataset_and_code_score', () => {
  it.each<[string, Evidence, number]>([
    ['nothing', emptyEvidence(), 0],
    ['both exist', completeEvidence(), 1],
    ['a dataset that is named', withCard({ datasets: ['a/b'] }), 0.25],
    ['a linked dataset', withReadme('See https://hub.test/datasets/a/b.'), 0.25],
    ['data in prose', withReadme('It was trained on the Meridian corpus.'), 0.25],
    ['data in prose by a name that is no word', withReadme('Fine-tuned on SQuAD2 for a day.'), 0.25],
    [
      'no data: a dataset without a name',
      withReadme('This dataset and code are for Siltstone. The dataset is private.'),
      0,
    ],
    ['no data: a language', withReadme('It was trained on English text. Use it with Python.'), 0],
    ['a script', emptyEvidence({ files: found([{ path: 'train.py', sizeBytes: 1 }], 'upload') }), 0.25],
  ])('%s: %s', (_name, evidence, value) => {
    expect(of(datasetAndCodeScore, evidence)).toEqual([value, 'measured'])
  })

  it('is unknown if nobody answered', () => {
    expect(of(datasetAndCodeScore, unknownEvidence())).toEqual([0, 'unknown'])
  })
})

describe('dataset_quality', () => {
  const facts = {
    id: 'a/b',
    hasCard: true,
    licence: 'mit',
    hasSize: true,
    hasFeatures: true,
    hasProvenance: true,
    downloads: 10 ** 6,
  }
  const poor = {
    ...facts,
    hasCard: false,
    licence: null,
    hasSize: false,
    hasFeatures: false,
    hasProvenance: false,
    downloads: 0,
  }

  it('is the mean over the datasets', () => {
    const both = (...all: (typeof facts | typeof poor)[]) => emptyEvidence({ datasets: found(all, 'hub') })
    expect(of(datasetQuality, both(facts))).toEqual([1, 'measured'])
    expect(of(datasetQuality, both(poor))).toEqual([0, 'measured'])
    expect(of(datasetQuality, both(facts, poor))).toEqual([0.5, 'measured'])
    expect(of(datasetQuality, both({ ...facts, downloads: 999 }))).toEqual([0.95, 'measured'])
    expect(of(datasetQuality, emptyEvidence())).toEqual([0, 'unknown'])
  })
})

describe('code_quality', () => {
  it('adds up what the files show', () => {
    // Tests, CI, checks and README: 0.65; one of two requirements is pinned: 0.075; touched: 0.1; two of three files: 0.067.
    expect(of(codeQuality, completeEvidence())).toEqual([0.892, 'measured'])
  })

  it('does not guess', () => {
    expect(of(codeQuality, emptyEvidence())).toEqual([0, 'unknown'])
    expect(of(codeQuality, completeEvidence({ codeCommits: unknownPart('HTTP 403', 'code') }))).toEqual([
      0.792,
      'partial',
    ])
  })
})

describe('reproducibility', () => {
  it.each<[string, Partial<Evidence>, number]>([
    ['all static checks', {}, 0.75],
    ['no README and no code', { readme: absent('hub'), code: absent('hub') }, 0],
    ['an open bracket', { readme: found(README.replace('small")', 'small"'), 'hub') }, 0.5],
    ['another id', { readme: found(README.replaceAll('harbour/tern-small', 'x/y'), 'hub') }, 0.5],
    ['an import that is not required', { readme: found(README.replace('from tr', 'import cv2\nfrom tr'), 'hub') }, 0.5],
    ['no requirements', { texts: absent('hub'), code: absent('hub') }, 0.5],
    ['a loose version', { texts: found({ 'requirements.txt': 'transformers>=5' }, 'hub') }, 0.5],
    ['a run', { runs: found([{ revision: 'a'.repeat(40), succeeded: true, url: 'r' }], 'registry') }, 1],
    ['a failed run', { runs: found([{ revision: 'a'.repeat(40), succeeded: false, url: 'r' }], 'registry') }, 0.75],
    ['a run of another revision', { runs: found([{ revision: 'b', succeeded: true, url: 'r' }], 'registry') }, 0.75],
  ])('%s: %d', (_name, changes, value) => {
    const pinned = found({ url: 'c', files: [], texts: {} }, 'code')
    expect(of(reproducibility, completeEvidence({ code: pinned, ...changes }))).toEqual([value, 'measured'])
  })

  it('is unknown if nobody answered', () => {
    expect(of(reproducibility, unknownEvidence())).toEqual([0, 'unknown'])
  })
})

describe('reviewedness', () => {
  const change = (addedLines: number, approvedBy: string[] | null, login = 'ada') => ({
    id: `${addedLines}`,
    author: { login, name: login },
    addedLines,
    pullRequest: approvedBy === null ? null : { number: 1, author: login, approvedBy },
  })
  const read = (...commits: ReturnType<typeof change>[]) => emptyEvidence({ reviews: found(commits, 'code') })

  it.each<[string, Evidence, number, string]>([
    ['approved by another', read(change(10, ['ben'])), 1, 'measured'],
    ['approved by its author', read(change(10, ['ada'])), 0, 'measured'],
    ['approved by a bot', read(change(10, ['review-app[bot]'])), 0, 'measured'],
    ['merged without approval', read(change(10, [])), 0, 'measured'],
    ['pushed directly', read(change(30, ['ben']), change(10, null)), 0.75, 'measured'],
    ['bots out', read(change(10, ['ben']), change(90, null, 'dependabot[bot]')), 1, 'measured'],
    ['no lines', read(change(0, ['ben'])), 0, 'unknown'],
    ['no GitHub repository', emptyEvidence(), -1, 'not_applicable'],
    ['no answer', unknownEvidence(), 0, 'unknown'],
  ])('%s', (_name, evidence, value, status) => {
    expect(of(reviewedness, evidence)).toEqual([value, status])
  })
})

describe('tree_score', () => {
  const parents = (...scores: (number | null)[]) =>
    emptyEvidence({
      parents: found(
        scores.map((netScore) => ({ url: 'u', relation: 'merge', netScore })),
        'card',
      ),
    })

  it.each<[Evidence, number, string]>([
    [parents(0.5), 0.5, 'measured'],
    [parents(0.5, 1), 0.75, 'measured'],
    [parents(0.5, null), 0.25, 'measured'],
    [parents(), 1, 'not_applicable'],
    [emptyEvidence(), 0, 'unknown'],
    [unknownEvidence(), 0, 'unknown'],
  ])('%#', (evidence, value, status) => {
    expect(of(treeScore, evidence)).toEqual([value, status])
  })
})

describe('size_score', () => {
  const size = sizeScore()
  const files = (...all: [string, number | null][]) =>
    found(
      all.map(([path, sizeBytes]) => ({ path, sizeBytes })),
      'upload',
    )

  it.each([
    [0, 1],
    [0.5, 1],
    [0.75, 0.5],
    [1, 0],
    [9, 0],
  ])('a need of %d budgets: %d', (need, value) => {
    expect(fit(need * GIB, GIB)).toBe(value)
  })

  it('counts one loadable set of weights', () => {
    const both = emptyEvidence({ files: files(['model.safetensors', GIB], ['pytorch_model.bin', 9 * GIB]) })
    expect(size.measure(both).devices).toEqual({ raspberry_pi: 0.8, jetson_nano: 1, desktop_pc: 1, aws_server: 1 })
    const shards: [string, number][] = [
      ['a-00001-of-00002.gguf', GIB],
      ['a-00002-of-00002.gguf', GIB],
      ['b.gguf', 3 * GIB],
    ]
    expect(size.measure(emptyEvidence({ files: files(...shards) })).devices?.jetson_nano).toBe(0.8)
    const index = { 'model.safetensors.index.json': '{"weight_map":{"w":"model-1.safetensors"}}' }
    const indexed = emptyEvidence({
      files: files(['model-1.safetensors', GIB], ['other.safetensors', 99 * GIB]),
      texts: found(index, 'upload'),
    })
    expect(size.measure(indexed).devices?.raspberry_pi).toBe(0.8)
  })

  it('falls back to parameters, and does not guess', () => {
    const hub = completeEvidence().hub
    expect(size.measure(emptyEvidence({ hub })).devices?.raspberry_pi).toBeCloseTo(0.2, 9)
    expect(of(size, emptyEvidence({ files: files(['model.safetensors', null]) }))).toEqual([0, 'unknown'])
    expect(of(size, emptyEvidence())).toEqual([0, 'unknown'])
  })
})

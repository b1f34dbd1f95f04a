/**
 * The repositories of the scenario, as a hub and GitHub answer about them: 14 models, 7 datasets and 7 repositories of code, all
 * fictitious. Each model differs from the others in something that a metric, a cost or a lineage has to show.
 */
import { type FakeService, githubRoutes } from '@siltstone/registry/testing'

export interface ModelSpec {
  name: string
  /** As on the hub; undefined: none is stated. */
  licence?: string
  /** Commits of each author. */
  commits: readonly number[]
  /** Of `model.safetensors`. */
  weightBytes: number
  parent?: string
  dataset?: string
  /** Whether its README links `harbour/tern` on GitHub. */
  hasCode?: boolean
  /** Headings of the README; undefined: there is no README. */
  sections?: readonly string[]
  claims?: 'none' | 'prose' | 'table' | 'index'
  /** False: neither card nor configuration. */
  hasMetadata?: boolean
}

const GB = 1_000_000_000
/** Commits that are older than two years count less. */
const LATELY = new Date(Date.now() - 30 * 86_400_000).toISOString()

/** The last is the one that says nothing about itself. */
export const MODELS: readonly ModelSpec[] = [
  { name: 'base', licence: 'apache-2.0', commits: [1, 1, 1, 1, 1], weightBytes: 0.1 * GB, sections: ['Usage'], claims: 'none' },
  { name: 'child', licence: 'mit', commits: [3], weightBytes: 1.2 * GB, parent: 'shore/base', sections: ['Usage', 'Training'], claims: 'prose' },
  { name: 'grandchild', licence: 'cc-by-4.0', commits: [1, 1], weightBytes: 3 * GB, parent: 'shore/child', dataset: 'shore/data-0', sections: ['Usage', 'Installation', 'Limitations', 'Training', 'Evaluation'], claims: 'table' },
  { name: 'orphan', licence: 'lgpl-3.0', commits: [4, 1], weightBytes: 6 * GB, parent: 'shore/unregistered', sections: [], claims: 'index' },
  { name: 'copyleft', licence: 'gpl-3.0', commits: [2, 2, 2], weightBytes: 12 * GB, parent: 'shore/base', dataset: 'shore/data-1', sections: ['Benchmarks'], claims: 'table' },
  { name: 'rail', licence: 'openrail', commits: [1, 1, 1, 1], weightBytes: 14 * GB, dataset: 'shore/data-2', sections: ['How to use'], claims: 'none' },
  { name: 'network', licence: 'agpl-3.0', commits: [9, 1], weightBytes: 30 * GB, sections: ['Setup', 'Bias'], claims: 'prose' },
  { name: 'community', licence: 'llama3', commits: [1], weightBytes: 60 * GB, sections: ['Quickstart'], claims: 'index' },
  { name: 'closed', licence: 'cc-by-nc-4.0', commits: [5, 5, 5, 5, 5, 5], weightBytes: 0.5 * GB, dataset: 'shore/data-3', sections: ['Risks'], claims: 'none' },
  { name: 'unlicensed', commits: [1, 2], weightBytes: 0.9 * GB, sections: ['Results'], claims: 'table' },
  { name: 'coded', licence: 'bsd-3-clause', commits: [7], weightBytes: 2 * GB, hasCode: true, dataset: 'shore/data-4', sections: ['Usage', 'Installation'], claims: 'none' },
  { name: 'late-child', licence: 'mit', commits: [1, 1], weightBytes: 0.2 * GB, parent: 'shore/late', sections: ['Usage'], claims: 'none' },
  { name: 'twin', licence: 'apache-2.0', commits: [2], weightBytes: 0.3 * GB, sections: ['Usage'], claims: 'none' },
  { name: 'silent', commits: [1], weightBytes: 0.4 * GB, hasMetadata: false },
] // biome-ignore format: a table

/** Registered only after its child. */
export const LATE: ModelSpec = {
  name: 'late',
  licence: 'mit',
  commits: [1],
  weightBytes: 0.1 * GB,
  sections: ['Usage'],
  claims: 'none',
}

export const DATASETS = Array.from({ length: 7 }, (_, n) => `data-${n}`)
/** On GitHub; the first is known there, with its reviews. */
export const CODE = ['tern', 'gull', 'skua', 'auk', 'fulmar', 'petrel', 'twin']

export const CONFIG = '{}'
export const datasetBytes = (n: number): number => 1_000_000 * (n + 1)

/** A word that only this README has. */
export const marker = (name: string): string => `${name.replace('-', '')}ology`

export function readmeOf(spec: ModelSpec): string {
  const { name, sections = [], claims, hasCode } = spec
  const lines = [`# The ${name} model`, '', `It is about ${marker(name)} and the tides.`, '']
  for (const section of sections) lines.push(`## ${section}`, '', 'See the harbour master.', '')
  if (sections.includes('Usage')) {
    lines.push(
      '```python',
      'from transformers import AutoModel',
      `AutoModel.from_pretrained("shore/${name}")`,
      '```',
      '',
    )
  }
  if (claims === 'prose') lines.push('It reaches an accuracy of 0.91 on calm days.', '')
  if (claims === 'table') lines.push('| dataset | accuracy |', '|---|---|', '| squalls | 0.91 |', '')
  if (hasCode === true) lines.push('Code: https://github.test/harbour/tern', '')
  return lines.join('\n')
}

export function hubRoutes(): FakeService['routes'] {
  const routes: FakeService['routes'] = new Map()
  for (const [index, spec] of [...MODELS, LATE].entries()) addModel(routes, spec, index)
  for (const [index, name] of DATASETS.entries()) addDataset(routes, name, index)
  return routes
}

const shaOf = (kind: string, index: number) => `${kind}${String(index).padStart(39, '0')}`

function addModel(routes: FakeService['routes'], spec: ModelSpec, index: number): void {
  const { name, licence, parent, dataset, claims, weightBytes, commits, hasMetadata = true } = spec
  const sha = shaOf('a', index)
  const readme = readmeOf(spec)
  const card = {
    ...(licence !== undefined && { license: licence }),
    ...(parent !== undefined && { base_model: parent }),
    ...(dataset !== undefined && { datasets: [dataset] }),
    ...(claims === 'index' && { 'model-index': [{ name, results: [CLAIM] }] }),
  }
  const texts = hasMetadata
    ? [
        { rfilename: 'README.md', size: Buffer.byteLength(readme) },
        { rfilename: 'config.json', size: CONFIG.length },
      ]
    : []
  routes.set(`/api/models/shore/${name}/revision/main?blobs=true`, {
    body: {
      id: `shore/${name}`,
      sha,
      pipeline_tag: 'fill-mask',
      library_name: 'transformers',
      tags: licence === undefined ? [] : [`license:${licence}`],
      downloads: 10,
      ...(hasMetadata && { cardData: card }),
      siblings: [...texts, { rfilename: 'model.safetensors', size: weightBytes }],
    },
  })
  const authors = commits.flatMap((count, author) => Array.from({ length: count }, () => `author-${author}`))
  routes.set(`/api/models/shore/${name}/commits/${sha}`, {
    body: authors.map((user, n) => ({ id: `c${n}`, title: 'more', date: LATELY, authors: [{ user }] })),
  })
  if (!hasMetadata) return
  routes.set(`/shore/${name}/resolve/${sha}/README.md`, { body: readme })
  routes.set(`/shore/${name}/resolve/${sha}/config.json`, { body: CONFIG })
}

const CLAIM = {
  task: { type: 'fill-mask' },
  dataset: { type: 'squalls', name: 'Squalls', config: 'default' },
  metrics: [{ type: 'accuracy', value: 0.9 }],
  source: { url: 'https://papers.test/squalls', name: 'paper' },
}

function addDataset(routes: FakeService['routes'], name: string, index: number): void {
  const sha = shaOf('d', index)
  const card = '# Waves\n\nMeasured by buoys.\n'
  const bytes = datasetBytes(index)
  routes.set(`/api/datasets/shore/${name}/revision/main?blobs=true`, {
    body: {
      id: `shore/${name}`,
      sha,
      downloads: 99,
      cardData: { license: 'cc-by-4.0', size_categories: ['n<1K'], configs: [{ config_name: 'default' }] },
      siblings: [
        { rfilename: 'README.md', size: Buffer.byteLength(card) },
        { rfilename: 'train.csv', size: bytes - Buffer.byteLength(card) },
      ],
    },
  })
  routes.set(`/datasets/shore/${name}/resolve/${sha}/README.md`, { body: card })
}

/** With projects of other licences beside `harbour/tern`, which is under MIT. */
export function codeRoutes(): FakeService['routes'] {
  const routes = githubRoutes()
  const commits = ['ada', 'ben'].map((login, n) => ({
    sha: `c${2 - n}`,
    author: { login },
    commit: { author: { name: login, email: `${login}@example.org`, date: LATELY } },
  }))
  routes.set('/repos/harbour/tern/commits', { body: commits })
  const licences: [string, string | null][] = [
    ['gull', 'GPL-3.0'],
    ['skua', null],
  ]
  for (const [name, spdx] of licences) {
    const path = `/repos/harbour/${name}`
    routes.set(path, {
      body: { full_name: `harbour/${name}`, default_branch: 'main', license: spdx === null ? null : { spdx_id: spdx } },
    })
    routes.set(`${path}/commits/main`, { body: { sha: `${name}1`, commit: { tree: { sha: `${name}t` } } } })
    routes.set(`${path}/git/trees/${name}t`, { body: { truncated: false, tree: [] } })
  }
  return routes
}

/** Evidence of fictitious artifacts, for tests. */
import { absent, type Commit, type Evidence, found, type ReviewedCommit, unknownPart } from '../evidence/evidence.ts'

export const README = `---
license: apache-2.0
---
# Tern small

A small model for weather reports, trained on the Meridian corpus.

## Installation

\`\`\`bash
pip install -r requirements.txt
\`\`\`

## Usage

\`\`\`python
from transformers import pipeline

tern = pipeline("text-classification", model="harbour/tern-small")
print(tern("Gale warning"))
\`\`\`

## Intended uses and limitations

Only English.

## Training

Fine-tuned for three epochs.

## Evaluation

| dataset | accuracy |
|---|---|
| squalls | 0.91 |
`

export const commit = (id: string, login: string, at = '2026-06-01T00:00:00Z'): Commit => ({
  id,
  at,
  author: { name: login, email: `${login}@example.org`, login },
})

const reviewed = (id: string, addedLines: number, approvedBy: string[] | null): ReviewedCommit => ({
  id,
  author: { login: 'ada', name: 'Ada' },
  addedLines,
  pullRequest: approvedBy === null ? null : { number: 1, author: 'ada', approvedBy },
})

/** Every part is there, and most are good. */
export function completeEvidence(changes: Partial<Evidence> = {}): Evidence {
  const hub = 'https://hub.test/api/models/harbour/tern-small'
  const code = 'https://code.test/harbour/tern'
  return {
    v: 1,
    subject: {
      type: 'model',
      name: 'tern-small',
      url: 'https://hub.test/harbour/tern-small',
      repository: 'harbour/tern-small',
      revision: 'a'.repeat(40),
    },
    observedOn: '2026-11-01',
    files: found(
      [
        { path: 'README.md', sizeBytes: 900 },
        { path: 'config.json', sizeBytes: 300 },
        { path: 'model.safetensors', sizeBytes: 1.5 * 2 ** 30 },
        { path: 'pytorch_model.bin', sizeBytes: 1.5 * 2 ** 30 },
        { path: 'examples/forecast.ipynb', sizeBytes: 4_000 },
      ],
      hub,
      40,
    ),
    texts: found({ 'config.json': '{}', 'requirements.txt': 'transformers==5.24.0\ntorch==2.9.0\n' }, hub, 20),
    readme: found(README, hub, 10),
    card: found(
      {
        license: 'apache-2.0',
        datasets: ['harbour/squalls'],
        'model-index': [
          {
            name: 'tern-small',
            results: [
              {
                task: { type: 'text-classification' },
                dataset: { name: 'squalls', type: 'harbour/squalls', config: 'default', revision: 'b1' },
                metrics: [{ type: 'accuracy', value: 0.91 }],
                source: { url: 'https://hub.test/reports/1' },
              },
            ],
          },
        ],
      },
      hub,
      0,
    ),
    hub: found(
      {
        pipelineTag: 'text-classification',
        libraryName: 'transformers',
        tags: ['license:apache-2.0', 'base_model:harbour/tern-base'],
        downloads: 12_000,
        parameters: { F32: 402_653_184 },
      },
      hub,
      0,
    ),
    commits: found([commit('h1', 'ada')], `${hub}/commits`, 30),
    code: found(
      {
        url: code,
        files: [
          { path: 'README.md', sizeBytes: 100, lines: null, parses: null },
          { path: 'tern/model.py', sizeBytes: 900, lines: 40, parses: true },
          { path: 'tern/long.py', sizeBytes: 90_000, lines: 900, parses: true },
          { path: 'tests/test_model.py', sizeBytes: 300, lines: 12, parses: true },
          { path: '.github/workflows/ci.yml', sizeBytes: 100, lines: null, parses: null },
          { path: 'pyproject.toml', sizeBytes: 200, lines: null, parses: null },
        ],
        texts: { 'pyproject.toml': '[tool.ruff]\nline-length = 100\n', 'requirements.txt': 'torch==2.9.0\nnumpy>=2\n' },
      },
      code,
      60,
    ),
    codeCommits: found([commit('c1', 'ada'), commit('c2', 'ben'), commit('c3', 'dependabot[bot]')], code, 25),
    reviews: found([reviewed('c1', 300, ['ben']), reviewed('c2', 100, null)], code, 80),
    datasets: found(
      [
        {
          id: 'harbour/squalls',
          hasCard: true,
          licence: 'cc-by-4.0',
          hasSize: true,
          hasFeatures: true,
          hasProvenance: false,
          downloads: 999,
        },
      ],
      hub,
      15,
    ),
    parents: found([{ url: 'https://hub.test/harbour/tern-base', relation: 'finetune', netScore: 0.7 }], 'card', 0),
    reports: absent('registry'),
    runs: absent('registry'),
    ...changes,
  }
}

/** Every source was asked and has nothing. */
export function emptyEvidence(changes: Partial<Evidence> = {}): Evidence {
  const none = absent<never>('upload')
  return {
    ...completeEvidence(),
    subject: { type: 'model', name: 'nothing', url: 'upload', repository: null, revision: null },
    files: found([], 'upload'),
    texts: none,
    readme: none,
    card: none,
    hub: none,
    commits: none,
    code: none,
    codeCommits: none,
    reviews: none,
    datasets: none,
    parents: none,
    reports: none,
    runs: none,
    ...changes,
  }
}

/** No source answered. */
export function unknownEvidence(changes: Partial<Evidence> = {}): Evidence {
  const silent = unknownPart<never>('HTTP 503', 'https://hub.test')
  return {
    ...emptyEvidence(),
    files: silent,
    texts: silent,
    readme: silent,
    card: silent,
    hub: silent,
    commits: silent,
    code: silent,
    codeCommits: silent,
    reviews: silent,
    datasets: silent,
    parents: silent,
    reports: silent,
    runs: silent,
    ...changes,
  }
}

/** The recorded sources of the demo: what a hub and GitHub answered about fictitious repositories of weather models. */
import { README } from '../evidence.ts'
import { type FakeService, githubRoutes, hubRoutes } from '../fake-services.ts'

const BASE = 'b'.repeat(40)
const RIVAL = 'e'.repeat(40)

const BASE_README = `---
license: apache-2.0
---
# Tern base

A language model for the sea, trained from scratch on logbooks of ships.

## Usage

\`\`\`python
from transformers import AutoModel

model = AutoModel.from_pretrained("harbour/tern-base")
\`\`\`

## Training

Ten days on four machines.
`

const RIVAL_README = `---
license: cc-by-nc-4.0
base_model: harbour/tern-base
---
# Gull tiny

Guesses the wind from the shape of clouds. No questions, please.
`

type Files = Record<string, string>

function model(
  routes: FakeService['routes'],
  id: string,
  sha: string,
  card: object,
  tags: string[],
  files: Files,
): void {
  const sizes = Object.entries(files).map(([path, text]) => ({ rfilename: path, size: Buffer.byteLength(text) }))
  routes.set(`/api/models/${id}/revision/main?blobs=true`, {
    body: {
      id,
      sha,
      pipeline_tag: 'fill-mask',
      library_name: 'transformers',
      tags,
      downloads: 400,
      cardData: card,
      siblings: [...sizes, { rfilename: 'model.safetensors', size: 440_000_000 }],
    },
  })
  routes.set(`/api/models/${id}/commits/${sha}`, {
    body: [{ id: 'c1', title: 'first', date: '2026-04-01T00:00:00.000Z', authors: [{ user: 'ada' }] }],
  })
  for (const [path, text] of Object.entries(files)) routes.set(`/${id}/resolve/${sha}/${path}`, { body: text })
}

export function recordedHub(): FakeService['routes'] {
  const routes = hubRoutes()
  model(routes, 'harbour/tern-base', BASE, { license: 'apache-2.0' }, ['license:apache-2.0'], {
    'README.md': BASE_README,
    'config.json': '{}',
  })
  const rival = { license: 'cc-by-nc-4.0', base_model: 'harbour/tern-base' }
  model(routes, 'skerry/gull-tiny', RIVAL, rival, ['license:cc-by-nc-4.0'], { 'README.md': RIVAL_README })
  return routes
}

export const recordedGithub = githubRoutes

/** The card of the model that the demo makes and uploads. */
export const OWN_README = README.replace('# Tern small', '# Tern pocket')
  .replace(
    'license: apache-2.0',
    'license: apache-2.0\nbase_model: harbour/tern-small\npipeline_tag: text-classification',
  )
  .replaceAll('harbour/tern-small")', 'admin/tern-pocket")')

/** Ratings, downloads, costs, licences, lineage and the console: what is asked, and how many points it gives. */
import type { Asker, Metadata } from './asker.ts'
import { ATTRIBUTES, isRight, type RatingBody } from './expected.ts'
import { equal } from './points.ts'
import { CONFIG, datasetBytes, DATASETS, LATE, marker, MODELS, type ModelSpec, readmeOf } from './world.ts'

interface Node {
  artifact_id: string
  name: string
}
interface Edge {
  from_node_artifact_id: string
  to_node_artifact_id: string
  relationship: string
}

/** 14 points for ratings at the same time, each of which is computed once, and 156 for their attributes. */
export async function rateAll(asker: Asker): Promise<void> {
  const ratings = new Map<string, RatingBody>()
  const point = asker.group('ratings at the same time')
  await Promise.all(
    MODELS.map(({ name }) =>
      point(name, async () => {
        // Every process is asked at the same time.
        const answers = await Promise.all(
          asker.processes.map((process) =>
            process.call('GET', `/artifact/model/${asker.idOf('model', name)}/rate`, { token: asker.token }),
          ),
        )
        for (const { status, body } of answers) equal([status, body], [200, answers[0]?.body])
        ratings.set(name, answers[0]?.body as RatingBody)
        const asked = `GET /api/models/shore/${name}/revision/main?blobs=true`
        equal(asker.hub.requests.filter((each) => each === asked).length, 1)
      }),
    ),
  )
  const attribute = asker.group('attributes of ratings')
  const scoreOf = (parent: string | undefined) =>
    ratings.get(parent?.replace('shore/', '') ?? '')?.['net_score'] as number | undefined
  for (const spec of MODELS.slice(0, -1)) {
    const body = ratings.get(spec.name)
    for (const name of ATTRIBUTES) {
      await attribute(`${spec.name} ${name} ${JSON.stringify(body?.[name])}`, () => {
        return body !== undefined && isRight(name, spec, body, scoreOf(spec.parent))
      })
    }
  }
}

/** 5 points. */
export async function downloadFiles(asker: Asker): Promise<void> {
  const point = asker.group('download URL')
  const model = `/artifacts/model/${asker.idOf('model', 'rail')}`
  const urlOf = async (path: string) =>
    ((await asker.call('GET', path)).body as { data: { download_url: string } }).data.download_url
  await point('is one of the registry', async () => {
    const url = new URL(await urlOf(model))
    return asker.processes.some((process) => process.url === url.origin)
  })
  await point('leads to the source where the registry has no files', async () => {
    const { pathname } = new URL(await urlOf(model))
    equal((await asker.call('GET', pathname)).status, 302)
  })
  const folder = '/hub/api/models/root/pocket'
  const headers = { authorization: asker.token.replace('bearer', 'Bearer') }
  const create = JSON.stringify({ name: 'pocket', type: 'model' })
  await asker.raw('POST', '/hub/api/repos/create', { body: create, headers })
  const lines = [
    { key: 'header', value: { summary: 'first', description: '' } },
    {
      key: 'file',
      value: { path: 'config.json', content: Buffer.from(CONFIG).toString('base64'), encoding: 'base64' },
    },
    {
      key: 'file',
      value: { path: 'run.py', content: Buffer.from('print(1)').toString('base64'), encoding: 'base64' },
    },
  ]
  const body = lines.map((line) => JSON.stringify(line)).join('\n')
  await asker.raw('POST', `${folder}/commit/main`, { body, headers })
  const found = (await asker.call('GET', '/artifact/byName/pocket')).body as Metadata[]
  const path = `/download/model/${found[0]?.id}`
  await point('gives the files that were uploaded', async () => {
    const { status, bytes } = await asker.call('GET', path)
    const text = Buffer.from(bytes).toString('latin1')
    equal([status, text.startsWith('PK'), text.includes('run.py'), text.includes('print(1)')], [200, true, true, true])
  })
  await point('gives a part of them', async () => {
    const text = Buffer.from((await asker.call('GET', `${path}?aspect=code`)).bytes).toString('latin1')
    equal([text.includes('run.py'), text.includes('config.json')], [true, false])
  })
  await point('is in the audit', async () => {
    const { body: entries } = await asker.call('GET', `/artifact/model/${found[0]?.id}/audit`)
    equal((entries as { action: string }[]).filter(({ action }) => action === 'DOWNLOAD').length, 2)
  })
  await asker.call('DELETE', `/artifacts/model/${found[0]?.id}`)
}

/** 14 points: seven models, alone and with everything that they were made from. */
export async function askCosts(asker: Asker): Promise<void> {
  const point = asker.group('cost')
  for (const spec of MODELS.filter(({ hasCode, hasMetadata }) => hasCode !== true && hasMetadata !== false).slice(
    0,
    7,
  )) {
    const id = asker.idOf('model', spec.name)
    const wanted = costsOf(asker, spec)
    await point(`${spec.name} alone`, async () => {
      const { body } = await asker.call('GET', `/artifact/model/${id}/cost`)
      equal(body, { [id]: { total_cost: wanted.get(id)?.standalone_cost } })
    })
    await point(`${spec.name} with dependencies`, async () => {
      const { body } = await asker.call('GET', `/artifact/model/${id}/cost?dependency=true`)
      equal(byId(Object.entries(body as Record<string, unknown>)), byId([...wanted]))
    })
  }
}

/** 6 points. */
export async function checkLicences(asker: Asker): Promise<void> {
  const point = asker.group('licence check')
  const check = (name: string, project: string, host = 'https://github.test') => {
    const url = `${host}/harbour/${project}`
    return asker.call('POST', `/artifact/model/${asker.idOf('model', name)}/license-check`, { github_url: url })
  }
  const rows: [string, string, boolean][] = [
    ['base', 'tern', true],
    ['child', 'gull', true],
    ['copyleft', 'tern', false],
    ['closed', 'tern', false],
  ]
  for (const [model, project, isAllowed] of rows) {
    await point(`${model} in ${project}`, async () => {
      const { status, body } = await check(model, project)
      equal([status, body], [200, isAllowed])
    })
  }
  await point('a project that is not there', async () => equal((await check('base', 'nowhere')).status, 404))
  await point('no project', async () => equal((await check('base', 'tern', 'https://elsewhere.test')).status, 400))
}

/** 4 points. */
export async function askLineage(asker: Asker): Promise<void> {
  const point = asker.group('lineage')
  const graph = async (name: string) =>
    (await asker.call('GET', `/artifact/model/${asker.idOf('model', name)}/lineage`)).body as {
      nodes: Node[]
      edges: Edge[]
    }
  const hasEdge = (edges: readonly Edge[], from: string, to: string, relation: string) =>
    edges.some(
      (edge) =>
        edge.from_node_artifact_id === from && edge.to_node_artifact_id === to && edge.relationship === relation,
    )
  await point('parents and their parents', async () => {
    const { nodes, edges } = await graph('grandchild')
    const [base, child, own] = ['base', 'child', 'grandchild'].map((name) => asker.idOf('model', name))
    const ids = new Set(nodes.map(({ artifact_id: id }) => id))
    const isWhole = edges.every((edge) => ids.has(edge.from_node_artifact_id) && ids.has(edge.to_node_artifact_id))
    return (
      isWhole &&
      hasEdge(edges, base ?? '', child ?? '', 'base_model') &&
      hasEdge(edges, child ?? '', own ?? '', 'base_model')
    )
  })
  await point('the dataset', async () => {
    const { edges } = await graph('rail')
    return hasEdge(edges, asker.idOf('dataset', 'data-2'), asker.idOf('model', 'rail'), 'fine_tuning_dataset')
  })
  await point('a parent that is registered later', async () => {
    const before = await graph('late-child')
    const outside = before.nodes.find(({ name }) => name.endsWith('late'))
    equal(outside?.artifact_id.startsWith('ext-'), true)
    const { body } = await asker.call('POST', '/artifact/model', { url: `${asker.hub.url}/shore/${LATE.name}` })
    const { id } = (body as { metadata: Metadata }).metadata
    const { edges } = await graph('late-child')
    return hasEdge(edges, id, asker.idOf('model', 'late-child'), 'base_model')
  })
  await point('a model that says nothing', async () => {
    equal((await asker.call('GET', `/artifact/model/${asker.idOf('model', 'silent')}/lineage`)).status, 400)
  })
}

/** 4 points. */
export async function showInConsole(asker: Asker): Promise<void> {
  const point = asker.group('web console')
  const artifacts = '/api/siltstone/v1/artifacts'
  await point('is a page', async () => {
    const { status, headers, bytes } = await asker.next().callStore('GET', '/')
    const isPage = headers.get('content-type')?.startsWith('text/html') === true
    return status === 200 && isPage && Buffer.from(bytes).includes('<title>')
  })
  await point('lists artifacts', async () => {
    const { body } = await asker.next().callStore('GET', `${artifacts}?limit=100`)
    equal((body as { artifacts: unknown[] }).artifacts.length, asker.uploaded.length + 1)
  })
  await point('searches', async () => {
    const { body } = await asker.next().callStore('GET', `${artifacts}?text=${marker('rail')}&limit=1`)
    equal((body as { artifacts: Metadata[] }).artifacts[0]?.name, 'rail')
  })
  await point('shows one with its rating', async () => {
    const { body } = await asker.next().callStore('GET', `${artifacts}/${asker.idOf('model', 'child')}`)
    const { name, rating } = body as { name: string; rating: { metrics: unknown[] } | null }
    equal([name, rating?.metrics.length], ['child', 11])
  })
}

function costsOf(asker: Asker, spec: ModelSpec): Map<string, { standalone_cost: number; total_cost: number }> {
  const closure = bytesOf(asker, spec)
  const costs = new Map<string, { standalone_cost: number; total_cost: number }>()
  for (const [id, { own, needs }] of closure) {
    const total = needs.reduce((sum, need) => sum + (closure.get(need)?.own ?? 0), own)
    costs.set(id, { standalone_cost: megabytes(own), total_cost: megabytes(total) })
  }
  return costs
}

/** By id: the bytes of an artifact itself, and all that it was made from. */
function bytesOf(asker: Asker, spec: ModelSpec): Map<string, { own: number; needs: string[] }> {
  const parent = MODELS.find(({ name }) => `shore/${name}` === spec.parent)
  const all: Map<string, { own: number; needs: string[] }> = parent === undefined ? new Map() : bytesOf(asker, parent)
  if (spec.dataset !== undefined) {
    const name = spec.dataset.replace('shore/', '')
    all.set(asker.idOf('dataset', name), { own: datasetBytes(DATASETS.indexOf(name)), needs: [] })
  }
  const own = Buffer.byteLength(readmeOf(spec)) + CONFIG.length + spec.weightBytes
  return all.set(asker.idOf('model', spec.name), { own, needs: [...all.keys()] })
}

const byId = (entries: readonly (readonly [string, unknown])[]) => entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
const megabytes = (bytes: number) => Math.round(bytes / 1_000) / 1_000

/** Registering, finding, reading and deleting: what is asked, and how many points it gives. */
import { logIn } from '../served.ts'
import type { Asker, Metadata } from './asker.ts'
import { equal } from './points.ts'
import { CODE, DATASETS, marker, MODELS } from './world.ts'

/** Nobody answers there. */
const ELSEWHERE = 'https://elsewhere.test'
const CHILDREN = ['child', 'grandchild', 'late-child']

/** 6 points. */
export async function setUp(asker: Asker): Promise<void> {
  const point = asker.group('setup and reset')
  await point('health needs no token', async () => equal((await asker.raw('GET', '/health')).status, 200))
  await point('tracks need none', async () => {
    const { body } = await asker.raw('GET', '/tracks')
    return Array.isArray((body as { plannedTracks: unknown }).plannedTracks)
  })
  await point('the login gives a token', async () => {
    asker.token = await logIn(asker.next())
    return asker.token.startsWith('bearer ')
  })
  await asker.call('POST', '/artifact/model', { url: `${ELSEWHERE}/left/over` })
  await point('the reset', async () => {
    const old = asker.token
    equal((await asker.call('DELETE', '/reset')).status, 200)
    asker.token = await logIn(asker.next())
    return asker.token !== old
  })
  await point('nothing is left, for every process', async () => {
    for (const process of asker.processes) {
      const answer = await process.call('POST', '/artifacts', { token: asker.token, body: [{ name: '*' }] })
      equal([answer.status, answer.body], [200, []])
    }
  })
  await point('only admins may reset', async () => {
    const user = { name: 'ben', password: 'a long password' }
    const body = { user: { name: user.name, is_admin: false }, secret: { password: user.password } }
    equal((await asker.call('POST', '/register', body)).status, 201)
    const token = await logIn(asker.next(), user)
    equal((await asker.next().call('DELETE', '/reset', { token })).status, 401)
  })
}

/** 35 points: 28 artifacts at the same time, and what is refused. */
export async function uploadAll(asker: Asker): Promise<void> {
  const point = asker.group('upload')
  const hub = asker.hub.url
  const wanted = [
    ...MODELS.map(({ name }) => ({ type: 'model', name, url: `${hub}/shore/${name}` })),
    ...DATASETS.map((name) => ({ type: 'dataset', name, url: `${hub}/datasets/shore/${name}` })),
    ...CODE.map((name) => ({ type: 'code', name: `harbour-${name}`, url: `https://github.test/harbour/${name}` })),
  ]
  await Promise.all(
    wanted.map((each) =>
      point(`${each.type} ${each.name}`, async () => {
        const { status, body } = await asker.call('POST', `/artifact/${each.type}`, { url: each.url })
        equal(status, 201)
        const { metadata, data } = body as { metadata: Metadata; data: { url: string; download_url: string } }
        equal([metadata.name, metadata.type], [each.name, each.type])
        if (!/^[a-zA-Z0-9-]+$/.test(metadata.id) || !data.url || !data.download_url) return false
        asker.uploaded.push({ ...each, id: metadata.id })
        return asker.uploaded.filter(({ id }) => id === metadata.id).length === 1
      }),
    ),
  )
  for (const type of ['model', 'dataset', 'code']) {
    await point(`the same ${type} again`, async () => {
      const url = wanted.find((each) => each.type === type)?.url
      equal((await asker.call('POST', `/artifact/${type}`, { url })).status, 409)
    })
  }
  await point('no URL', async () => equal((await asker.call('POST', '/artifact/model', {})).status, 400))
  await point('a bad URL', async () => {
    equal((await asker.call('POST', '/artifact/model', { url: 'no address' })).status, 400)
  })
  await point('a bad type', async () => {
    equal((await asker.call('POST', '/artifact/thing', { url: `${ELSEWHERE}/a/b` })).status, 400)
  })
  await point('no token', async () => {
    equal((await asker.raw('POST', '/artifact/model', { body: { url: `${ELSEWHERE}/a/b` } })).status, 403)
  })
}

/** 7 points. */
export async function findByPattern(asker: Asker): Promise<void> {
  const point = asker.group('regular expressions')
  const names = async (regex: string) => {
    const { status, body } = await asker.call('POST', '/artifact/byRegEx', { regex })
    return status === 200 ? (body as Metadata[]).map(({ name }) => name).toSorted() : status
  }
  await point('an exact name', async () => equal(await names('^grandchild$'), ['grandchild']))
  await point('a name among more', async () => equal(await names('child'), CHILDREN))
  await point('a README', async () => equal(await names(marker('rail')), ['rail']))
  await point('a README is one text', async () => equal(await names('^# The rail model[\\s\\S]*tides'), ['rail']))
  await point('nothing', async () => equal(await names('zxqjv{3}'), 404))
  await point('none', async () => equal(await names('(unclosed'), 400))
  await point('one that others take forever for', async () => {
    for (const regex of ['(a+)+$', '(a|aa)*$', `(${'x+'.repeat(3_000)})+$`]) {
      const seen = await names(regex)
      if (typeof seen === 'number' && seen !== 400 && seen !== 404) throw new Error(`${regex.slice(0, 20)}: ${seen}`)
    }
  })
}

/** 61 points. */
export async function readAll(asker: Asker): Promise<void> {
  const point = asker.group('read')
  for (const { type, name, url, id } of asker.uploaded) {
    await point(`${type} ${name} by id`, async () => {
      const { status, body } = await asker.call('GET', `/artifacts/${type}/${id}`)
      const { metadata, data } = body as { metadata: Metadata; data: { url: string } }
      equal([status, metadata], [200, { name, id, type }])
      equal(new URL(data.url).pathname, new URL(url).pathname)
    })
    await point(`${type} ${name} by name`, async () => {
      const { status, body } = await asker.call('GET', `/artifact/byName/${name}`)
      return status === 200 && (body as Metadata[]).some((each) => each.id === id && each.type === type)
    })
  }
  const list = async (query: unknown) => (await asker.call('POST', '/artifacts', query)).body as Metadata[]
  const ids = (all: readonly { id: string }[]) => all.map(({ id }) => id).toSorted()
  await point('all', async () => equal(ids(await list([{ name: '*' }])), ids(asker.uploaded)))
  await point('of types, and by name', async () => {
    const twoTypes = asker.uploaded.filter(({ type }) => type !== 'model')
    equal(ids(await list([{ name: '*', types: ['dataset', 'code'] }])), ids(twoTypes))
    equal(ids(await list([{ name: 'rail' }, { name: 'none' }])), [asker.idOf('model', 'rail')])
  })
  await point('in pages', async () => {
    const seen: string[] = []
    for (let offset = '', isFirst = true; isFirst || offset !== ''; isFirst = false) {
      const page = await asker.call('POST', `/artifacts?limit=5&offset=${encodeURIComponent(offset)}`, [{ name: '*' }])
      seen.push(...(page.body as Metadata[]).map(({ id }) => id))
      offset = page.headers.get('offset') ?? ''
    }
    equal(seen.toSorted(), ids(asker.uploaded))
  })
  await point('an id that nobody has', async () => {
    equal((await asker.call('GET', '/artifacts/model/01KB0000000000000000000000')).status, 404)
    equal((await asker.call('GET', `/artifacts/dataset/${asker.idOf('model', 'rail')}`)).status, 404)
  })
  await point('a name that nobody has, and a bad id', async () => {
    equal((await asker.call('GET', '/artifact/byName/nobody')).status, 404)
    equal((await asker.call('GET', '/artifacts/model/a_b')).status, 400)
  })
}

/** 10 points. */
export async function deleteSome(asker: Asker): Promise<void> {
  const point = asker.group('delete')
  const chosen: [string, string][] = [
    ['model', 'twin'],
    ['dataset', 'data-6'],
    ['code', 'harbour-petrel'],
  ]
  await point('without a token', async () => {
    equal((await asker.raw('DELETE', `/artifacts/model/${asker.idOf('model', 'twin')}`)).status, 403)
  })
  for (const [type, name] of chosen) {
    const path = `/artifacts/${type}/${asker.idOf(type, name)}`
    await point(`${type} ${name}`, async () => equal((await asker.call('DELETE', path)).status, 200))
    await point(`${type} ${name} is gone, for every process`, async () => {
      for (const process of asker.processes) {
        equal((await process.call('GET', path, { token: asker.token })).status, 404)
      }
      equal((await asker.call('DELETE', path)).status, 404)
    })
  }
  await point('the others are still there', async () => {
    const { body } = await asker.call('POST', '/artifacts', [{ name: '*' }])
    equal((body as unknown[]).length, asker.uploaded.length + 1 - chosen.length)
  })
  await point('an id that nobody has', async () => {
    equal((await asker.call('DELETE', '/artifacts/model/01KB0000000000000000000000')).status, 404)
  })
  await point('the same source again has another id', async () => {
    const { status, body } = await asker.call('POST', '/artifact/model', { url: `${asker.hub.url}/shore/twin` })
    equal(status, 201)
    return (body as { metadata: Metadata }).metadata.id !== asker.idOf('model', 'twin')
  })
}

/**
 * A process on the registry of a directory that kills itself with SIGKILL: `participant.ts DATA work SEED WRITES` before its write with
 * that number, `participant.ts DATA calls TOKEN CALLS` after that many calls. It says what was acknowledged, a line of JSON each,
 * written at once, so that nothing is lost with the process.
 */
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { createService, Registry, Sources } from '@siltstone/registry'
import { fileOfRanges, inParts, type SentXorb, xorbOf } from '@siltstone/registry/testing'
import { openStore } from 'siltstone'
import { forwardingStore, isSiltstoneError, openEnvironmentAt, seededRandom, silentLogger } from 'siltstone/internal'
import type { Said } from './said.ts'

const [data = '', mode = '', argument = '', limit = ''] = process.argv.slice(2)
const say = (said: Said) => void writeSync(1, `${JSON.stringify(said)}\n`)
const opened = await openEnvironmentAt(data)
let writes = 0
const beforeWrite = () => {
  if (mode === 'work' && writes++ === Number(limit)) process.kill(process.pid, 'SIGKILL')
}
const { store: inner } = opened
const store = forwardingStore(inner, {
  put: (...args) => (beforeWrite(), inner.put(...args)),
  upload: (...args) => (beforeWrite(), inner.upload(...args)),
  delete: (...args) => (beforeWrite(), inner.delete(...args)),
})
const environment = { ...opened, store }
const { clock, ids, random } = environment
const registry = new Registry({
  store,
  index: await openStore({ environment }),
  clock,
  ids,
  log: silentLogger,
  sources: new Sources({ clock, random }),
  quota: { artifacts: 10_000, bytes: 1_000_000_000 },
})

if (mode === 'work') await work(seededRandom(Number(argument)))
else await spend(argument, Number(limit))
// No write and no call was the last one: also an end.
process.kill(process.pid, 'SIGKILL')

async function spend(token: string, calls: number): Promise<void> {
  const service = await createService({ registry, clock, random, log: silentLogger, version: '0.0.0' })
  const headers = { 'x-authorization': token }
  for (let made = 0; made < calls; made++) {
    const request = new Request('http://registry.test/artifact/byName/none', { headers })
    const { status } = await service.fetch(request, '192.0.2.1')
    say({ kind: status === 404 ? 'call' : 'refused' })
    if (status !== 404) return
  }
}

async function work(chance: { next(): number }): Promise<void> {
  const below = (n: number) => Math.floor(chance.next() * n)
  for (let step = 0; step < 40; step++) {
    // Few sources, so that they are registered again and again.
    const source = `https://elsewhere.test/owner/n${below(12)}`
    try {
      await act(below(12), source, `${argument}-${step}`)
    } catch (error) {
      // Refusals are answers: taken sources, artifacts that are gone, a garbage collection that was killed and is finished a day later.
      const isRefusal = isSiltstoneError(error) && ['conflict', 'not-found', 'unavailable'].includes(error.kind)
      if (!isRefusal) throw error
    }
  }
}

async function act(kind: number, source: string, text: string): Promise<void> {
  const { artifacts, blobs, commits } = registry
  const artifact = await artifacts.findBySource('model', source)
  if (artifact === undefined) {
    const { id } = await registry.add({ type: 'model', name: 'n', url: source, by: 'ada' })
    say({ kind: 'registered', id, source })
    return
  }
  const { id } = artifact
  say({ kind: 'touching', id })
  if (kind < 2) {
    say({ kind: 'deleting', id })
    await registry.delete(artifact, 'ada')
    say({ kind: 'deleted', id })
  } else if (kind < 4) {
    const next = `${source}-moved-${kind}`
    say({ kind: 'moving', id })
    await artifacts.changeSource(id, 'ada', next)
    say({ kind: 'moved', id, source: next })
  } else if (kind < 8) {
    const bytes = new TextEncoder().encode(text)
    const file = { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length }
    await blobs.put(bytes, file.sha256)
    const { oid } = await commits.commit(id, { message: text, by: 'ada', changes: { [`f${kind}`]: file } })
    say({ kind: 'committed', id, oid })
  } else if (kind < 10) {
    const { sha256, contents } = await sendByXet(text)
    const changes = { [`x${kind}`]: { sha256, sizeBytes: contents.length } }
    const { oid } = await commits.commit(id, { message: text, by: 'ada', changes })
    say({ kind: 'committed', id, oid })
  } else if (kind < 11) {
    await registry.expiry.expire({ olderThanMs: 3_600_000 })
    // Nothing is young, and this process alone writes.
    await registry.collector.collect({ graceMs: 0, xorbAgeMs: 0 })
  } else {
    await artifacts.finishIntents(0)
    await registry.reconciler.reconcile({ apply: true })
  }
}

/** A file of a chunk that is new and one that other files may have. */
async function sendByXet(text: string) {
  const chunks = [text, text.replace(/.*-/, 'shared ')].map((each) => new TextEncoder().encode(each))
  const xorbs = await Promise.all(chunks.map((each) => xorbOf([each])))
  const name = ({ hash }: SentXorb) => ({ folder: 'ada', hash })
  for (const xorb of xorbs) await registry.xorbs.take(name(xorb), inParts(xorb.body, 16))
  const file = await fileOfRanges(xorbs.map((xorb) => ({ xorb, first: 0, end: 1 })))
  const ranges = xorbs.map((xorb, i) => ({ ...(file.terms[i] as (typeof file.terms)[number]), xorb: name(xorb) }))
  const chunked = { sizeBytes: file.contents.length, xetHash: file.xetHash, ranges }
  await registry.sharedChunks.addFile(file.sha256, chunked)
  await registry.chunkedFiles.put(file.sha256, chunked)
  return file
}

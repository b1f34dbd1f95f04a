/** A file of 1 GB to the registry and back over the Hub API on loopback, by Git LFS and by Xet, and a version of it with 1 % changed. */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { samplePeak } from '../measure/process-usage.ts'
import type { Row } from '../measure/report.ts'
import { REPOSITORY } from '../places.ts'
import { type RegistryServer, startRegistryServer, USER } from '../servers/registry-server.ts'
import type { Scenario } from './scenario.ts'

const MB = 1_000_000
const STANDARD_MB = 1_000
/** Places that change in the second version, of a thousandth of the file each. */
const CHANGES = 10
/** Made by test/registry/run.sh: the client with Xet. */
const HF = process.env['SILTSTONE_BENCH_HF'] ?? join(REPOSITORY, 'test/registry/.venv/bin/hf')

export const registryTransfer: Scenario = {
  about:
    'the registry: 1 GB up and down over the Hub API on loopback, by Git LFS and by Xet (`hf`), and a version with 1 % changed from a machine that knows nothing; --values registry=100: megabytes',
  records: [0],
  run: async (options, report) => {
    const bytes = (options.values.get('registry')?.[0] ?? STANDARD_MB) * MB
    const folder = mkdtempSync(join(tmpdir(), 'siltstone-bench-registry-'))
    const data = join(folder, 'data')
    const server = await startRegistryServer(data)
    try {
      const file = join(folder, 'weights.bin')
      const sha256 = writeNoise(file, bytes)
      const rows: Row[] = []
      const row = async (what: string, work: () => Promise<unknown>) => {
        const measured = await during(server, data, what, bytes, work)
        report.note(JSON.stringify(measured))
        rows.push(measured)
      }
      await server.call('POST', '/hub/api/repos/create', { name: 'direct' })
      await row('upload by Git LFS', () => uploadByLfs(server, file, sha256, bytes))
      await row('download', () => download(server, 'direct', bytes))
      if (existsSync(HF)) {
        // Other contents, so that nothing is there already.
        writeNoise(file, bytes)
        const upload = (home: string) => hf(server, join(folder, home), ['upload', `${USER}/xet`, file, 'weights.bin'])
        await row('upload by Xet', () => upload('first'))
        await row('download of it', () => download(server, 'xet', bytes))
        change(file, bytes)
        await row('1 % changed, by another machine', () => upload('second'))
      } else
        report.note(
          `there is no ${HF}: nothing is measured of Xet; run test/registry/run.sh, or set SILTSTONE_BENCH_HF`,
        )
      report.table(`A file of ${bytes / MB} MB in a directory, server and client on one machine`, rows)
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** @returns the SHA-256 */
function writeNoise(file: string, bytes: number): string {
  const hash = createHash('sha256')
  const out = openSync(file, 'w')
  for (let at = 0; at < bytes; at += MB) {
    const piece = randomBytes(Math.min(MB, bytes - at))
    hash.update(piece)
    writeSync(out, piece)
  }
  closeSync(out)
  return hash.digest('hex')
}

function change(file: string, bytes: number): void {
  const out = openSync(file, 'r+')
  for (let n = 0; n < CHANGES; n++)
    writeSync(out, randomBytes(bytes / 1_000), 0, bytes / 1_000, (n + 0.5) * (bytes / CHANGES))
  closeSync(out)
}

async function uploadByLfs(server: RegistryServer, file: string, oid: string, size: number): Promise<void> {
  const wanted = { operation: 'upload', transfers: ['basic'], objects: [{ oid, size }] }
  const path = `/hub/${USER}/direct.git/info/lfs/objects/batch`
  const { objects } = await server.call<{ objects: { actions: { upload: { href: string } } }[] }>('POST', path, wanted)
  await server.put(objects[0]?.actions.upload.href ?? '', createReadStream(file, { highWaterMark: MB }), size)
  const lines = [
    { key: 'header', value: { summary: 'measured' } },
    { key: 'lfsFile', value: { path: 'weights.bin', oid, size } },
  ]
  const body = lines.map((line) => JSON.stringify(line)).join('\n')
  await server.call('POST', `/hub/api/models/${USER}/direct/commit/main`, body)
}

async function download(server: RegistryServer, repository: string, expected: number): Promise<void> {
  const bytes = await server.get(`/hub/${USER}/${repository}/resolve/main/weights.bin`)
  if (bytes !== expected) throw new Error(`${bytes} bytes came back, not ${expected}`)
}

/** @param home of its caches: another one is another machine */
async function hf(server: RegistryServer, home: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, HF_ENDPOINT: server.hubUrl, HF_TOKEN: server.key, HF_HOME: home }
  await promisify(execFile)(HF, [...args], { env })
}

async function during(
  server: RegistryServer,
  data: string,
  what: string,
  bytes: number,
  work: () => Promise<unknown>,
): Promise<Row> {
  const before = server.usage()
  const sent = sizeOf(join(data, 'registry/xorbs'))
  const stored = sizeOf(join(data, 'registry'))
  const peak = samplePeak(() => server.usage().rssBytes)
  const startedMs = performance.now()
  await work()
  const seconds = (performance.now() - startedMs) / 1_000
  const highest = peak.stop()
  const growth = sizeOf(join(data, 'registry')) - stored
  const xorbs = sizeOf(join(data, 'registry/xorbs')) - sent
  return {
    what,
    seconds,
    'MB/s': bytes / MB / seconds,
    'server CPU s': server.usage().cpuSeconds - before.cpuSeconds,
    'server RSS MB, highest': highest / MB,
    '% sent as chunks': (100 * xorbs) / bytes,
    '% stored': (100 * growth) / bytes,
  }
}

/** Of all files below. */
function sizeOf(folder: string): number {
  if (!existsSync(folder)) return 0
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** `serve --objects` with the store and the objects in buckets: the S3 face, processing, status and search. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { freshName, openBucket, openQueue, targets, type TestBucket, variablesOf } from '@siltstone/emulated-aws'
import { openS3Blobs } from 'siltstone/internal/aws'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runCommand, type Server, startServer, tryCommand } from '../program.ts'

const KEY = { accessKeyId: 'FACEKEY01', secretAccessKey: 'a secret of the face, for tests' }

describe.each(targets())('objects of a store in a bucket: $name', (target) => {
  let records: TestBucket
  let own: TestBucket
  let place: string
  let folder: string
  let servers: Server[]
  let clients: S3Client[]
  const variables = { ...process.env, ...variablesOf(target) }

  beforeEach(async () => {
    records = await openBucket(target)
    own = await openBucket(target)
    place = records.url()
    folder = mkdtempSync(join(tmpdir(), 'siltstone-serve-objects-'))
    writeFileSync(join(folder, 'keys.json'), JSON.stringify([KEY]))
    servers = []
    clients = []
  })
  afterEach(async () => {
    for (const client of clients) client.destroy()
    for (const server of servers) await server.kill()
    await Promise.all([records.dispose(), own.dispose()])
    rmSync(folder, { recursive: true, force: true })
  })

  const options = () => ['--objects', '--objects-port', '0', '--objects-keys', join(folder, 'keys.json')]
  const start = async (more: string[] = []) => {
    const server = await startServer(place, variables, [...options(), '--objects-bucket', own.name, ...more])
    servers.push(server)
    const client = new S3Client({
      endpoint: server.objectsUrl ?? '',
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { ...KEY },
    })
    clients.push(client)
    return { server, client }
  }
  const settled = (server: Server, query: string, wanted: Record<string, string>) =>
    vi.waitFor(
      async () => {
        const answer = await fetch(`${server.url}/api/siltstone/v1/objects/status?${query}`)
        const { objects } = (await answer.json()) as { objects: { key: string; progress: string }[] }
        expect(Object.fromEntries(objects.map(({ key, progress }) => [key, progress]))).toEqual(wanted)
      },
      { timeout: 60_000, interval: 200 },
    )
  const ask = (collection: string, text: string) =>
    runCommand(['query', collection, '--text', text, '--data', place, '--json'], variables)

  it('uploads become searchable, and what is deleted is gone', async () => {
    const { server, client } = await start()
    const Bucket = own.name
    await client.send(
      new PutObjectCommand({ Bucket, Key: 'uploads/rivers.md', Body: 'Rivers drop mud where the water slows.' }),
    )
    await client.send(new CopyObjectCommand({ Bucket, Key: 'a b/+.md', CopySource: `${Bucket}/uploads/rivers.md` }))
    await settled(server, `bucket=${Bucket}`, { 'a b/+.md': 'done', 'uploads/rivers.md': 'done' })
    expect(await ask(Bucket, 'why is there mud?')).toContain('"object_key": "uploads/rivers.md"')
    // They are objects of the user's own bucket, with the state in the store.
    expect(await own.keys()).toEqual(['a b/+.md', 'uploads/rivers.md'])
    const status = await runCommand(['objects', 'status', `s3://${Bucket}/`, '--data', place, '--json'], variables)
    expect((JSON.parse(status) as { progress: string }[]).map(({ progress }) => progress)).toEqual(['done', 'done'])

    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a b/+.md' }))
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'uploads/rivers.md' }))
    await settled(server, `bucket=${Bucket}&state=gone`, { 'a b/+.md': 'gone', 'uploads/rivers.md': 'gone' })
    expect(await ask(Bucket, 'why is there mud?')).not.toContain('object_key')
  })

  it('finds after a kill what it was told before, and what others wrote', async () => {
    const first = await start()
    const Bucket = own.name
    await first.client.send(new PutObjectCommand({ Bucket, Key: 'told.txt', Body: 'Glaciers carve valleys.' }))
    await first.server.kill()
    servers = []
    const blobs = openS3Blobs(`s3://${Bucket}`, { variables })
    await blobs.put('not-told.txt', Buffer.from('Deltas grow where rivers meet the sea.'))
    blobs.close()
    const { server } = await start()
    await settled(server, `bucket=${Bucket}`, { 'not-told.txt': 'done', 'told.txt': 'done' })
    expect(await ask(Bucket, 'where do deltas grow?')).toContain('not-told.txt')
  })

  it('is told by a queue of what others write, and of a queue that is not there at its start', async () => {
    const queue = await openQueue(target, 5)
    const sqs = queue.newClient()
    const blobs = openS3Blobs(`s3://${own.name}`, { variables })
    try {
      await blobs.put('before.txt', Buffer.from('Glaciers carve valleys.'))
      const { server } = await start(['--objects-queue', queue.url])
      // Found by the first sweep; the next one is five minutes away.
      await settled(server, `bucket=${own.name}`, { 'before.txt': 'done' })
      await blobs.put('told of.txt', Buffer.from('Deltas grow where rivers meet the sea.'))
      const record = { s3: { bucket: { name: own.name }, object: { key: 'told+of.txt' } } }
      await sqs.send(
        new SendMessageCommand({ QueueUrl: queue.url, MessageBody: JSON.stringify({ Records: [record] }) }),
      )
      await settled(server, `bucket=${own.name}`, { 'before.txt': 'done', 'told of.txt': 'done' })
      const missing = `${queue.url}-that-is-not-there`
      const asked = ['--objects-bucket', own.name, '--objects-queue', queue.url, '--json']
      const { code, out } = await tryCommand(['doctor', '--data', place, ...asked], variables)
      const checks = JSON.parse(out) as { name: string; verdict: string; remedy?: string }[]
      const verdictOf = (what: string) => checks.find(({ name }) => name === what)?.verdict
      expect(verdictOf(`objects ${own.name}`)).toBe('ok')
      // The bucket notifies nobody: the test sent the message itself.
      expect([verdictOf(`objects ${own.name}: notifications`), code]).toEqual(['fail', 1])
      expect(['ok', 'warn']).toContain(verdictOf(`objects ${own.name}: checksums`))
      expect(verdictOf('objects queue')).toBe('ok')
      // Its probe is gone.
      expect(await own.keys()).toEqual(['before.txt', 'told of.txt'])
      const refused = await tryCommand(
        ['serve', '--data', place, '--port', '0', ...options(), '--objects-queue', missing],
        variables,
      )
      expect(refused.err).toContain('that-is-not-there')
    } finally {
      blobs.close()
      sqs.destroy()
      await queue.dispose()
    }
  })

  it('serves the buckets it was told and those it made, and no others', async () => {
    const { server, client } = await start()
    const made = freshName('made')
    await client.send(new CreateBucketCommand({ Bucket: made }))
    const names = async () => ((await client.send(new ListBucketsCommand({}))).Buckets ?? []).map(({ Name }) => Name)
    expect(await names()).toEqual([own.name, made].sort())
    // The credentials of the server reach the bucket of the store, the clients of the face do not.
    await expect(client.send(new ListObjectsV2Command({ Bucket: records.name }))).rejects.toThrow(/bucket/i)
    await expect(client.send(new CreateBucketCommand({ Bucket: records.name }))).rejects.toMatchObject({
      name: 'BucketAlreadyExists',
    })
    await expect(
      client.send(new CopyObjectCommand({ Bucket: made, Key: 'x', CopySource: `${records.name}/whatever` })),
    ).rejects.toThrow(/bucket/i)
    const CORSConfiguration = { CORSRules: [{ AllowedOrigins: ['https://app.example'], AllowedMethods: ['GET'] }] }
    await client.send(new PutBucketCorsCommand({ Bucket: made, CORSConfiguration }))
    await client.send(new PutObjectCommand({ Bucket: made, Key: 'a.txt', Body: 'Silt settles slowly.' }))
    await settled(server, `bucket=${made}`, { 'a.txt': 'done' })
    await server.kill()
    servers = []
    const again = await start()
    const got = await again.client.send(new GetObjectCommand({ Bucket: made, Key: 'a.txt' }))
    expect(await got.Body?.transformToString()).toBe('Silt settles slowly.')
    const origin = { origin: 'https://app.example' }
    const answer = await fetch(`${again.server.objectsUrl}/${made}/a.txt`, { headers: origin })
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
    await expect(again.client.send(new DeleteBucketCommand({ Bucket: made }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    })
    await again.client.send(new DeleteObjectCommand({ Bucket: made, Key: 'a.txt' }))
    // Once, under load, moto took the bucket for filled for a moment after the deletion.
    await vi.waitFor(() => again.client.send(new DeleteBucketCommand({ Bucket: made })), {
      timeout: 10_000,
      interval: 250,
    })
    await expect(again.client.send(new DeleteBucketCommand({ Bucket: own.name }))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
  })

  it('leaves the records of buckets that other workers serve alone', async () => {
    const other = await openBucket(target)
    try {
      const blobs = openS3Blobs(`s3://${other.name}`, { variables })
      await blobs.put('other.txt', Buffer.from('Dunes wander with the wind.'))
      blobs.close()
      const work = ['objects', 'work', `s3://${other.name}/`, '--once', '--data', place]
      expect(await runCommand(work, variables)).toContain('1 settled')
      const { server, client } = await start()
      await client.send(new PutObjectCommand({ Bucket: own.name, Key: 'own.txt', Body: 'Silt settles slowly.' }))
      await settled(server, '', { 'own.txt': 'done' })
      expect(await ask(other.name, 'what wanders?')).toContain('Dunes')
    } finally {
      await other.dispose()
    }
  })

  it('says what is missing', async () => {
    const refused = (...args: string[]) => tryCommand(['serve', '--data', place, '--port', '0', ...args], variables)
    expect((await refused('--objects', '--objects-port', '0')).err).toContain('--objects-keys')
    expect((await refused(...options(), '--objects-bucket', records.name)).err).toContain('has the store')
    const copy = ['objects', 'cp', join(folder, 'keys.json'), 'siltstone://media/x', '--data', place]
    expect((await tryCommand(copy, variables)).err).toContain('give s3://media/')
  })
})

/** The server of the page: its files, and signatures for uploads below `uploads/`. */
import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { build } from 'esbuild'

const EXPIRY = { expiresIn: 900 }
const PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Uploads</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'

/** What Uppy wants to send. */
export interface UppyRequest {
  method: string
  key: string
  uploadId?: string
  partNumber?: number
}

export interface PageServer {
  origin: string
  /** What was signed, in order. */
  signed: UppyRequest[]
  close(): Promise<void>
}

export async function startPageServer(s3: S3Client, Bucket: string): Promise<PageServer> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  })
  const script = outputFiles[0]?.text ?? ''
  const signed: UppyRequest[] = []
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) =>
      void response.writeHead(status, { 'content-type': type }).end(body)
    if (request.url === '/') answer(200, 'text/html', PAGE)
    else if (request.url === '/page.js') answer(200, 'text/javascript', script)
    else if (request.url === '/sign')
      signatureFor(request).then(
        (body) => answer(200, 'application/json', body),
        (error: unknown) => answer(403, 'text/plain', String(error)),
      )
    else answer(404, 'text/plain', 'There is no such page.')
  })
  const signatureFor = async (incoming: IncomingMessage): Promise<string> => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const request = JSON.parse(Buffer.concat(chunks).toString()) as UppyRequest
    signed.push(request)
    if (!request.key.startsWith('uploads/')) throw new Error(`Uploads to ${request.key} are not allowed.`)
    return JSON.stringify({ url: await urlOf(s3, Bucket, request) })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    signed,
    close: async () => {
      server.closeAllConnections()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

function urlOf(
  s3: S3Client,
  Bucket: string,
  { method, key: Key, uploadId: UploadId, partNumber: PartNumber }: UppyRequest,
): Promise<string> {
  const upload = { Bucket, Key, UploadId }
  switch (`${method} ${UploadId === undefined ? 'object' : 'upload'}`) {
    case 'PUT object':
      return getSignedUrl(s3, new PutObjectCommand({ Bucket, Key }), EXPIRY)
    case 'POST object':
      return getSignedUrl(s3, new CreateMultipartUploadCommand({ Bucket, Key }), EXPIRY)
    case 'PUT upload':
      return getSignedUrl(s3, new UploadPartCommand({ ...upload, PartNumber }), EXPIRY)
    case 'GET upload':
      return getSignedUrl(s3, new ListPartsCommand(upload), EXPIRY)
    case 'POST upload':
      return getSignedUrl(s3, new CompleteMultipartUploadCommand(upload), EXPIRY)
    case 'DELETE upload':
      return getSignedUrl(s3, new AbortMultipartUploadCommand(upload), EXPIRY)
    default:
      throw new Error(`${method} is not allowed.`)
  }
}

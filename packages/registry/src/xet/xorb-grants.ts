/**
 * Xorbs that a client sends to the bucket itself, by a *grant* (`hf_xet` from 1.8 on): the client says how many bytes it has and their CRC-64/NVME,
 * puts them to a link with the headers that it is given, and says that it has done so. Without a bucket that signs links a grant is 404, and
 * the client sends its xorb through the server.
 *
 * The link is good for one size, the checksum, and a xorb that is not there. Nothing else is known of the contents until a shard names the
 * xorb: then it is read, and compared with its hash (`xorbs.ts`).
 */
import { invalid, notFound } from 'siltstone/internal'
import * as v from 'valibot'
import { json } from '../http/answers.ts'
import { readJson } from '../http/body.ts'
import type { Call, Route } from '../http/route.ts'
import type { HubContext } from '../hub/context.ts'
import { xorbKey } from '../store/keys.ts'
import { namedXorb, XET } from './xet-access.ts'
import { MAX_XORB_BYTES } from './xorb.ts'

const LINK_MS = 3_600_000
const MAX_U64 = 2n ** 64n - 1n

const grantSchema = v.object({
  length: v.pipe(
    v.number(),
    v.integer('is no integer'),
    v.minValue(1, 'is less than 1'),
    v.maxValue(MAX_XORB_BYTES, 'is more than a xorb has: 64 MiB'),
  ),
  checksum: v.object({
    algo: v.literal('crc64nvme'),
    /** Decimal digits, because JSON numbers are not exact above 2^53. */
    value: v.pipe(
      v.string(),
      v.regex(/^\d{1,20}$/, 'is no whole number'),
      v.check((text) => BigInt(text) <= MAX_U64, 'has more than 64 bits'),
    ),
  }),
})

export function xorbGrantRoutes(context: HubContext): Route[] {
  return [
    {
      method: 'POST',
      path: `${XET}/v1/xorb-grants/{prefix}/{hash}`,
      operation: 'xetXorbGrant',
      access: 'public',
      handle: (call) => grant(context, call),
    },
    {
      method: 'POST',
      path: `${XET}/v1/xorb-commits/{prefix}/{hash}/grant/{grant}`,
      operation: 'xetXorbCommit',
      access: 'public',
      handle: (call) => commit(context, call),
    },
  ]
}

async function grant(context: HubContext, call: Call): Promise<Response> {
  const { folder, hash } = await namedXorb(context, call)
  const key = xorbKey(folder, hash)
  const { store, blobUploads } = context.registry
  const direct = blobUploads === undefined ? undefined : store.direct
  if (direct === undefined) throw notFound('no-grants', 'xorbs are sent through this server')
  const { length, checksum } = await readJson(call.request, grantSchema)
  if ((await store.head(key)) !== undefined) return json({}, 200)
  const { url, headers } = await direct.presignPut(key, {
    sizeBytes: length,
    expiresInMs: LINK_MS,
    crc64nvme: base64Of(BigInt(checksum.value)),
  })
  // The link says all that has to be known about the grant but the size, which its id says.
  return json({ id: String(length), method: 'PUT', url, headers }, 201)
}

function base64Of(value: bigint): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes.toString('base64')
}

async function commit(context: HubContext, call: Call): Promise<Response> {
  const { folder, hash } = await namedXorb(context, call)
  const key = xorbKey(folder, hash)
  const { grant: id = '' } = call.params
  const sent = await context.registry.store.head(key)
  if (sent === undefined) throw notFound('xorb-missing', 'nothing was sent to the link: ask for another grant')
  if (String(sent.sizeBytes) !== id)
    throw invalid('xorb-size', `there is a xorb of this name with ${sent.sizeBytes} bytes`, { field: 'hash' })
  return json({ was_inserted: true })
}

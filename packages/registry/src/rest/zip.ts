/** Files as a zip archive, uncompressed (weights do not shrink), written while it is read. */
import { Zip, ZipPassThrough } from 'fflate'
import { corrupt, invalid } from 'siltstone/internal'
import type { SourceFile } from '../evidence/evidence.ts'
import type { Blobs } from '../store/blobs.ts'

/** The format without its 64-bit extension, which not all programs read. */
const MAX_ARCHIVE_BYTES = 4_000_000_000
const MAX_FILES = 65_000
const READ_BYTES = 4 * 1024 * 1024
/** 1980-01-01, the first time of the format: equal files give equal archives. */
const NO_TIME = new Date(1980, 0, 1)

/** @throws SiltstoneError `invalid` (too-many-results): more than an archive can hold */
export function zipOf(blobs: Blobs, name: string, files: readonly SourceFile[]): Response {
  const sizeBytes = files.reduce((sum, file) => sum + (file.sizeBytes ?? 0), 0)
  if (sizeBytes > MAX_ARCHIVE_BYTES || files.length > MAX_FILES) {
    const text = `an archive holds at most ${MAX_FILES} files and ${MAX_ARCHIVE_BYTES} bytes: download with a client of the Hub API`
    throw invalid('too-many-results', text, { field: 'id' })
  }
  const chunks = archive(blobs, files)
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await chunks.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    cancel: async () => void (await chunks.return(undefined)),
  })
  const file = name.replaceAll(/[^\w.-]/g, '_').slice(0, 100)
  return new Response(body, {
    headers: { 'content-type': 'application/zip', 'content-disposition': `attachment; filename="${file}.zip"` },
  })
}

async function* archive(blobs: Blobs, files: readonly SourceFile[]): AsyncGenerator<Uint8Array> {
  let made: Uint8Array[] = []
  let failed: Error | null = null
  const zip = new Zip((error, chunk) => {
    failed ??= error
    made.push(chunk)
  })
  const take = () => {
    if (failed !== null) throw failed as Error
    const chunks = made
    made = []
    return chunks
  }
  for (const { path, sizeBytes, sha256 } of files) {
    const entry = new ZipPassThrough(path)
    entry.mtime = NO_TIME
    zip.add(entry)
    const total = sizeBytes ?? 0
    for (let offset = 0; offset < total; offset += READ_BYTES) {
      const length = Math.min(READ_BYTES, total - offset)
      const bytes = await blobs.get(sha256 ?? '', { offset, length })
      if (bytes?.length !== length)
        throw corrupt('blob-missing', `the contents of ${path} are missing: run registry verify`)
      entry.push(bytes, offset + length >= total)
      yield* take()
    }
    if (total === 0) entry.push(new Uint8Array(), true)
    yield* take()
  }
  zip.end()
  yield* take()
}

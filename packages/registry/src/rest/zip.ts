/** Files as a zip archive, uncompressed (weights do not shrink), written while it is read. */
import { Zip, ZipPassThrough } from 'fflate'
import { invalid } from 'siltstone/internal'
import type { SourceFile } from '../evidence/evidence.ts'
import { streamOf } from '../http/stream-of.ts'
import type { Blobs } from '../store/blobs.ts'

/** The format without its 64-bit extension, which not all programs read. */
const MAX_ARCHIVE_BYTES = 4_000_000_000
const MAX_FILES = 65_000
/** 1980-01-01, the first time of the format: equal files give equal archives. */
const NO_TIME = new Date(1980, 0, 1)

/** @throws SiltstoneError `invalid` (too-many-results): more than an archive can hold */
export function zipOf(blobs: Blobs, name: string, files: readonly SourceFile[]): Response {
  const sizeBytes = files.reduce((sum, file) => sum + (file.sizeBytes ?? 0), 0)
  if (sizeBytes > MAX_ARCHIVE_BYTES || files.length > MAX_FILES) {
    const text = `an archive holds at most ${MAX_FILES} files and ${MAX_ARCHIVE_BYTES} bytes: download with a client of the Hub API`
    throw invalid('too-many-results', text, { field: 'id' })
  }
  const file = name.replaceAll(/[^\w.-]/g, '_').slice(0, 100)
  return new Response(streamOf(archive(blobs, files)), {
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
    if (total > 0) {
      for await (const bytes of blobs.stream(sha256 ?? '', { offset: 0, length: total })) {
        entry.push(bytes)
        yield* take()
      }
    }
    entry.push(new Uint8Array(), true)
    yield* take()
  }
  zip.end()
  yield* take()
}

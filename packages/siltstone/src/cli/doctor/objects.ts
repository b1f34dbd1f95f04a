/** Checks the objects of the S3 face of a directory, and what makes them searchable. */
import { hasBlobs, indexPath } from '../../drivers/directory/blobs/index-copy.ts'
import { importOptional } from '../../host/optional-package.ts'
import { environmentVariables } from '../../host/process.ts'
import { openReadOnlyDatabase } from '../../host/read-only-database.ts'
import { isSiltstoneError } from '../../errors.ts'
import { bytes, plural } from '../format.ts'
import { type Check, fail, ok, warn } from './check.ts'

const COUNTS = `
  SELECT (SELECT count(*) FROM bucket) AS buckets, (SELECT count(*) FROM upload) AS uploads,
    count(*) AS versions, coalesce(sum(sizeBytes), 0) AS sizeBytes FROM version WHERE isMarker = 0`

/** Nothing where there are no objects. */
export async function checkObjects(directory: string): Promise<Check[]> {
  if (!(await hasBlobs(directory))) return []
  return [await checkIndex(directory), ...(await checkProcessors())]
}

async function checkIndex(directory: string): Promise<Check> {
  try {
    const index = openReadOnlyDatabase(indexPath(directory))
    try {
      const [row = {}] = index.all(COUNTS)
      const count = (name: string) => Number(row[name] ?? 0)
      const uploads = count('uploads') === 0 ? '' : `, ${plural(count('uploads'), 'unfinished upload')}`
      const what = `${plural(count('versions'), 'version')} with ${bytes(count('sizeBytes'))}`
      return ok('objects', `${what} in ${plural(count('buckets'), 'bucket')}${uploads}`)
    } finally {
      await index.close()
    }
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    return fail(
      'objects',
      error.message,
      'Restore the store from a backup: without the index, the files have no names.',
    )
  }
}

/** What is used of `@siltstone/processors`. */
interface Processors {
  optionalParts: () => Promise<{ name: string; by?: string; reason?: string }[]>
}

export async function checkProcessors(): Promise<Check[]> {
  const name = 'processing of objects'
  try {
    const { optionalParts } = (await importOptional('@siltstone/processors', 'Making objects searchable')) as Processors
    const { SILTSTONE_WHISPER_MODEL: model, SILTSTONE_TRANSCRIBE_BUCKET: bucket } = environmentVariables()
    const speech = bucket
      ? `Amazon Transcribe, with the bucket ${bucket}, by SILTSTONE_TRANSCRIBE_BUCKET`
      : model && `${model}, by SILTSTONE_WHISPER_MODEL`
    const parts = await optionalParts()
    return [
      ok(name, '@siltstone/processors is installed'),
      ...parts.map((part) => (part.name === 'speech' && speech ? ok('speech', speech) : partCheck(part))),
    ]
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    return [warn(name, 'objects are stored but not searchable', error.message)]
  }
}

const partCheck = ({ name, by, reason = '' }: { name: string; by?: string; reason?: string }): Check =>
  by === undefined ? warn(name, 'left out where objects are processed', reason) : ok(name, by)

/** `siltstone serve --objects`: its options, and what the package `@siltstone/objects` is given. */
import { schemeAt } from '../../drivers/open-environment.ts'
import type { Embedder } from '../../embed/port.ts'
import { invalid } from '../../errors.ts'
import { readFileText } from '../../host/files.ts'
import { importOptional } from '../../host/optional-package.ts'
import { environmentVariables } from '../../host/process.ts'
import type { CollectionInfo } from '../../model/collection.ts'
import type { ObjectStates } from '../../model/object-states.ts'
import type { Engine } from '../../model/store.ts'
import type { Environment } from '../../ports/environment.ts'
import { DEFAULT_OBJECTS_PORT } from '../settings/serve-settings.ts'

export interface ObjectsServeOptions {
  objects?: boolean
  objectsPort?: number
  objectsBucket?: string[]
  objectsQueue?: string
  objectsKeys?: string
  objectsRules?: string
  objectsProcessing?: boolean
}

/** What `@siltstone/objects` runs beside the server. */
export interface ServedObjects {
  url: string
  /** The file with the access key that was made because none was configured. */
  keysFile?: string
  /** Whether objects are made searchable: `on`, or `off` and why. */
  processing: string
}

/** Given to `@siltstone/objects`, which this package finds but does not import. */
export interface ServeObjectsOptions {
  data: string
  host: string
  port: number
  /** JSON. */
  keys: string | undefined
  /** Beside those that clients make: other buckets that are served, where the store is in a bucket; on a directory, made at the start. */
  buckets: readonly string[]
  /** Of SQS, for the notifications of these buckets. Undefined: messages stay within the process. */
  queueUrl: string | undefined
  allowNetworkFilesystem: boolean
  environment: Environment
  /** What is made of objects goes to its collections. */
  engine: Engine
  embedderFor: (info: CollectionInfo) => Promise<Embedder>
  processing: boolean
  /** JSON. */
  rules: string | undefined
}

export type ServeObjects = (
  options: ServeObjectsOptions,
) => Promise<ServedObjects & { states: ObjectStates; close(): Promise<void> }>

/** @throws SiltstoneError `invalid` (objects-place, objects-read-only, objects-queue), `unsupported` (package-missing, package-broken) */
export async function loadObjects({
  data,
  readOnly,
  objectsQueue,
}: { data: string; readOnly?: boolean } & Pick<ObjectsServeOptions, 'objectsQueue'>): Promise<ServeObjects> {
  const scheme = schemeAt(data)
  if (scheme !== 'directory' && scheme !== 's3')
    throw invalid(
      'objects-place',
      `--objects needs a store in a directory or in a bucket of S3, and ${data} is neither.`,
      {
        field: '--objects',
      },
    )
  if (scheme === 'directory' && objectsQueue !== undefined)
    throw invalid(
      'objects-queue',
      `--objects-queue names a queue of SQS, and the objects of ${data} have a queue in that directory: leave it out, or give --data s3://….`,
      { field: '--objects-queue' },
    )
  if (readOnly === true)
    throw invalid(
      'objects-read-only',
      '--objects cannot be combined with --read-only: give keys without write instead.',
      {
        field: '--objects',
      },
    )
  const { serveObjects } = (await importOptional('@siltstone/objects', '"siltstone serve --objects"')) as {
    serveObjects: ServeObjects
  }
  return serveObjects
}

export async function objectsOptions(
  options: { data: string; host: string } & ObjectsServeOptions,
  parts: Pick<ServeObjectsOptions, 'environment' | 'engine' | 'embedderFor' | 'allowNetworkFilesystem'>,
): Promise<ServeObjectsOptions> {
  const { data, host, objectsPort = DEFAULT_OBJECTS_PORT, objectsBucket = [] } = options
  const { objectsProcessing = true, objectsRules } = options
  return {
    data,
    host,
    port: objectsPort,
    buckets: objectsBucket,
    queueUrl: options.objectsQueue,
    keys: await objectsKeys(options),
    processing: objectsProcessing,
    rules: objectsRules === undefined ? undefined : await readFileText(objectsRules),
    ...parts,
  }
}

async function objectsKeys({ objectsKeys: file }: ObjectsServeOptions): Promise<string | undefined> {
  const text = file === undefined ? environmentVariables()['SILTSTONE_OBJECTS_KEYS'] : await readFileText(file)
  return text === '' ? undefined : text
}

/** What `serve` prints and answers about it, without what only the server uses. */
export const shownObjects = ({ url, keysFile, processing }: ServedObjects): ServedObjects => ({
  url,
  processing,
  ...(keysFile !== undefined && { keysFile }),
})

export function objectsLine(objects: ServedObjects | undefined): string {
  if (objects === undefined) return ''
  const made = objects.keysFile === undefined ? '' : `, with the access key in ${objects.keysFile}`
  return `S3 is at ${objects.url}${made}\nProcessing of objects is ${objects.processing}\n`
}

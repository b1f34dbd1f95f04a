/** Opens a store in a directory or a bucket for one command. */
import { type Command, Option } from 'commander'
import { DEFAULT_DATABASE, DEFAULT_TENANT } from '../catalog/index.ts'
import { checkCollectionName } from '../catalog/name-rules.ts'
import { dataPaths } from '../check/catalog-scan.ts'
import type { CatalogReport } from '../check/verify-catalog.ts'
import { EmbedderRegistry, type EmbedderRegistryOptions } from '../embed/registry.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { RecordLimits } from '../records/record-limits.ts'
import { isSiltstoneError, notFound } from '../errors.ts'
import { catalogRoot, isUuid, parseCollectionPath, storeKey } from '../format/keys.ts'
import { Store } from '../library/store.ts'
import { closeEnvironment } from '../drivers/directory/directory-environment.ts'
import type { Environment } from '../ports/environment.ts'
import { fileInfo } from '../host/files.ts'
import { systemModels } from '../host/model-host.ts'
import { isUrl, openEnvironmentAt, sqliteFileOf } from '../drivers/open-environment.ts'
import { environmentVariables } from '../host/process.ts'
import { placeFromVariables } from '../drivers/place-variables.ts'
import { readEmbedders } from './embedders.ts'
import { Output } from './output.ts'

export interface CommonOptions {
  data: string
  tenant: string
  database: string
  json?: boolean
  debug?: boolean
  embedders?: string
}

export const DEFAULT_DATA = './siltstone-data'

/** `VECTOR_BUCKET_NAME` and `CHROMADB_BUCKET` name a bucket where `SILTSTONE_DATA` is not set. */
export function dataOption(): Option {
  return new Option('--data <place>', 'the store: a directory, or s3://bucket/prefix')
    .env('SILTSTONE_DATA')
    .default(placeFromVariables(environmentVariables()) ?? DEFAULT_DATA, JSON.stringify(DEFAULT_DATA))
}

/** The options of every command that opens a store. */
export function withStoreOptions(command: Command): Command {
  return withOutputOptions(command)
    .addOption(dataOption())
    .addOption(new Option('--tenant <name>', 'tenant').env('SILTSTONE_TENANT').default(DEFAULT_TENANT))
    .addOption(new Option('--database <name>', 'database').env('SILTSTONE_DATABASE').default(DEFAULT_DATABASE))
}

export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON, for programs')
    .option('--debug', 'print debug logs, and a stack trace on failure')
}

export function withEmbedders(command: Command): Command {
  return command.addOption(
    new Option('--embedders <file>', 'JSON file that configures embedding providers').env('SILTSTONE_EMBEDDERS'),
  )
}

interface OpenOptions {
  create: boolean
  collection?: string
  damaged?: boolean
  recordLimits?: Partial<RecordLimits>
}

export class Session {
  readonly options: CommonOptions
  readonly env: Environment
  readonly engine: StoreEngine
  readonly store: Store
  readonly registry: EmbedderRegistry
  readonly out: Output

  private constructor(
    options: CommonOptions,
    env: Environment,
    engine: StoreEngine,
    out: Output,
    embedders: EmbedderRegistryOptions,
  ) {
    this.options = options
    this.env = env
    this.engine = engine
    this.out = out
    this.registry = new EmbedderRegistry({ ...env, models: systemModels, variables: environmentVariables() }, embedders)
    const parts = {
      engine,
      registry: this.registry,
      allowReset: false,
      close: () => this.close(),
      isClosed: () => false,
    }
    this.store = new Store(parts, options)
  }

  /**
   * @param open.create false: a missing store is an error; true: it is created
   * @param open.collection the name of a collection that may be created: nothing is made when it is refused
   * @param open.recordLimits those that are not the default
   * @param open.damaged the store is to be examined: its descriptor may be damaged or missing
   * @throws SiltstoneError `not-found` (store-missing)
   */
  static async open(options: CommonOptions, open: OpenOptions): Promise<Session> {
    const out = new Output(options)
    if (open.create && open.collection !== undefined && !isUuid(open.collection)) checkCollectionName(open.collection)
    if (!open.create) await requireStore(options.data)
    const embedders = options.embedders === undefined ? {} : await readEmbedders(options.embedders)
    const env = await openEnvironmentAt(options.data, { log: out.logger })
    try {
      const examine = open.damaged === true && (await hasCatalog(env))
      if (!open.create && !examine && isUrl(options.data)) await requireDescriptor(env, options.data)
      return new Session(
        options,
        env,
        await StoreEngine.open({
          env,
          anyDescriptor: examine,
          ...(open.recordLimits && { recordLimits: open.recordLimits }),
        }),
        out,
        embedders,
      )
    } catch (error) {
      await closeEnvironment(env)
      throw error
    }
  }

  /** Opens a session, runs one command's work, and closes the session even if the work fails. */
  static async use(
    options: CommonOptions,
    open: OpenOptions,
    work: (session: Session) => Promise<void>,
  ): Promise<void> {
    const session = await Session.open(options, open)
    try {
      await work(session)
    } finally {
      await session.close()
    }
  }

  async close(): Promise<void> {
    await this.engine.close()
    await closeEnvironment(this.env)
  }

  /** Finds a collection by name or id. @throws SiltstoneError `not-found` (collection-missing) */
  async collection(nameOrId: string): Promise<CollectionInfo> {
    const { tenant, database } = this.options
    try {
      return await this.engine.catalog.getCollection(tenant, database, nameOrId)
    } catch (error) {
      if (!isSiltstoneError(error, 'not-found') || !isUuid(nameOrId)) throw error
      return this.engine.catalog.getCollectionById(tenant, database, nameOrId)
    }
  }

  /** All collections of the tenant's database. */
  async collections(): Promise<CollectionInfo[]> {
    const { tenant, database } = this.options
    return this.engine.catalog.listCollections(tenant, database)
  }

  /**
   * The named collections; without names, every collection of any tenant that has objects in the store.
   * @returns paths, with the name if the collection is in this tenant's database
   */
  async targets(names: readonly string[]): Promise<{ path: string; name: string }[]> {
    if (names.length > 0)
      return Promise.all(
        names.map(async (name) => {
          const info = await this.collection(name)
          return { path: pathOf(info), name: info.name }
        }),
      )
    const known = new Map((await this.collections()).map((info) => [pathOf(info), info.name]))
    const paths = new Set(known.keys())
    for (const path of await dataPaths(this.env.store)) paths.add(path)
    return [...paths].sort().map((path) => ({ path, name: known.get(path) ?? path }))
  }

  /**
   * As `targets`, from an examination of the catalog; a collection is also found by its path. Damage of the catalog does not hide a collection that any object names.
   * @returns paths, with the name if the collection is in this tenant's database
   * @throws SiltstoneError `not-found` (collection-missing)
   */
  examinedTargets(names: readonly string[], { collections }: CatalogReport): { path: string; name: string }[] {
    const { tenant, database } = this.options
    const known = collections.map(({ path, ...found }) => {
      const isHere = found.tenant === tenant && found.database === database
      return {
        path,
        name: (isHere ? found.name : undefined) ?? path,
        isHere,
        id: parseCollectionPath(path)?.collectionId,
      }
    })
    if (names.length === 0) return known.map(({ path, name }) => ({ path, name }))
    return names.map((given) => {
      const found =
        known.find(({ name }) => name === given) ??
        known.find(({ id, path, isHere }) => path === given || (isHere && id === given))
      if (found !== undefined) return { path: found.path, name: found.name }
      throw notFound('collection-missing', `Collection [${given}] does not exist`)
    })
  }
}

/** A store whose descriptor is damaged is still known by its catalog. */
async function hasCatalog({ store }: Environment): Promise<boolean> {
  const { objects } = await store.list(catalogRoot, { limit: 1 })
  return objects.length > 0
}

/** @throws SiltstoneError `not-found` (store-missing) */
export async function requireStore(directory: string): Promise<void> {
  const file = sqliteFileOf(directory)
  if (file !== undefined && (await fileInfo(file)) === undefined) throw storeMissing(directory)
  if (isUrl(directory) || (await fileInfo(directory))?.kind === 'directory') return
  throw storeMissing(directory)
}

/** Checks a bucket after it was opened; `requireStore` checks directories before. */
async function requireDescriptor({ store }: Environment, place: string): Promise<void> {
  if ((await store.head(storeKey)) === undefined) throw storeMissing(place)
}

function storeMissing(place: string) {
  return notFound(
    'store-missing',
    `there is no store at ${place}; give another with --data, or create one with "siltstone ingest" or "siltstone serve"`,
    { field: '--data' },
  )
}

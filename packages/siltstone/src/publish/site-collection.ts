/** A built HTML site as a collection of passages, with the package `@siltstone/site`. */
import { createHash } from 'node:crypto'
import { EnglishEmbedder } from '../embed/english/index.ts'
import { StoreEngine } from '../engine/engine.ts'
import { notFound } from '../errors.ts'
import { fileInfo, readFileBytes } from '../host/files.ts'
import { importOptional } from '../host/optional-package.ts'
import { type WalkedFile, walkDirectory } from '../host/walk-directory.ts'
import { DOCUMENT_KEY, type StoredSchema, withTexts } from '../model/schema.ts'
import type { Collection } from '../model/store.ts'
import type { Language } from '../model/text-fields.ts'
import type { Environment } from '../ports/environment.ts'
import type { ModelHost } from '../ports/model-host.ts'

interface SitePassage {
  id: string
  document: string
  metadata: Record<string, string | string[]>
}

interface SitePackage {
  htmlText: (bytes: Uint8Array) => string
  languageOfSite: (pages: readonly { html: string }[]) => string | undefined
  passagesOfSite: (pages: { path: string; html: string }[], base: string) => SitePassage[]
}

export interface SiteRequest {
  /** Its folder. */
  site: string
  /** The path at which it is served. */
  base: string
  /** An empty store. */
  environment: Environment
  models: Pick<ModelHost, 'readPackageFiles'>
}

const BATCH = 1_000

/** @throws SiltstoneError `not-found` (no-pages), `unsupported` (package-missing) */
export async function siteCollection(
  request: SiteRequest,
): Promise<{ collection: Collection; close: () => Promise<void> }> {
  const { site, base, environment, models } = request
  const reading = (await importOptional('@siltstone/site', 'siltstone publish --site')) as SitePackage
  const pages = await pagesOf(site, reading.htmlText)
  const passages = reading.passagesOfSite(pages, base)
  if (passages.length === 0)
    throw notFound('no-pages', `${site} has no HTML page with a text; give the folder of the built site`, {
      field: '--site',
    })
  const engine = await StoreEngine.open({ env: environment })
  const { info } = await engine.catalog.createCollection({
    tenant: 'default_tenant',
    database: 'default_database',
    name: 'site',
    getOrCreate: false,
    metadata: null,
    configuration: { hnsw: { space: 'cosine' } },
    schema: schemaFor(reading.languageOfSite(pages)),
    space: 'cosine',
  })
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const embedder = new EnglishEmbedder({ models })
  for (let start = 0; start < passages.length; start += BATCH) {
    const batch = passages.slice(start, start + BATCH)
    const vectors = await embedder.embed(batch.map(({ document }) => document))
    await collection.write(
      batch.map(({ id, document, metadata }, i) => ({
        op: 'upsert',
        id,
        vector: vectors[i] as Float32Array,
        document,
        metadata: JSON.stringify(metadata),
        uri: null,
      })),
    )
  }
  return { collection, close: () => engine.close() }
}

/** Different when a page was added, changed or removed. @throws SiltstoneError `not-found` (no-pages) */
export async function stateOfSite(site: string): Promise<string> {
  const state = createHash('sha256')
  for await (const { relativePath, sizeBytes, modifiedMs } of pageFiles(site))
    state.update(`${relativePath}\0${sizeBytes}\0${modifiedMs}\n`)
  return state.digest('hex')
}

/** By the codes of ISO 639. */
const LANGUAGES: Readonly<Record<string, Language>> = {
  de: 'german',
  en: 'english',
  es: 'spanish',
  fr: 'french',
  it: 'italian',
  pt: 'portuguese',
  sv: 'swedish',
}

/** How the words of a site are reduced to terms. null: as English ones, which in other scripts changes only words of the letters a to z. */
function schemaFor(code: string | undefined): StoredSchema | null {
  if (code === undefined || code === 'en') return null
  const known = LANGUAGES[code]
  const isLatin = known !== undefined || new Intl.Locale(code).maximize().script === 'Latn'
  return isLatin ? withTexts(null, { [DOCUMENT_KEY]: known ?? 'none' }) : null
}

async function pagesOf(site: string, textOf: (bytes: Uint8Array) => string): Promise<{ path: string; html: string }[]> {
  const pages: { path: string; html: string }[] = []
  for await (const { path, relativePath } of pageFiles(site))
    pages.push({ path: relativePath, html: textOf(await readFileBytes(path)) })
  return pages
}

async function* pageFiles(site: string): AsyncGenerator<WalkedFile> {
  if ((await fileInfo(site)) === undefined)
    throw notFound('no-pages', `there is no folder ${site}`, { field: '--site' })
  for await (const file of walkDirectory(site, { enter: (folder) => !folder.startsWith('.') }))
    if (/\.x?html?$/i.test(file.relativePath)) yield file
}

/**
 * Records the evidence about one artifact. Everything but the description of the artifact itself may fail: then the part is
 * `unknown`, with the reason, and the rest is recorded all the same.
 */
import { type Clock, isSiltstoneError } from 'siltstone/internal'
import { namedDatasets, namedParents, parseFrontMatter } from '../evidence/card.ts'
import {
  absent,
  type ArtifactType,
  type CodeTree,
  type Commit,
  type DatasetFacts,
  type Evidence,
  EVIDENCE_VERSION,
  found,
  type JsonObject,
  type Parent,
  type Part,
  type ReviewedCommit,
  type SourceFile,
  unknownPart,
  valueOf,
} from '../evidence/evidence.ts'
import { readReadme, splitFrontMatter } from '../evidence/readme.ts'
import { codeTreeOf, linkedCode } from './code.ts'
import { type Description, MAX_TEXT_BYTES, type Source } from './source.ts'

/** The sources that an artifact may refer to. */
export interface LinkedSources {
  /** Undefined: there is no driver for this address. */
  code(url: string): Source | undefined
  dataset(id: string): Source | undefined
  /** The address of a parent, from its id on the hub. */
  modelUrl(id: string): string
}

export interface CollectOptions {
  clock: Clock
  subject: { type: ArtifactType; name: string; url: string; repository: string | null }
  source: Source
  linked: LinkedSources
  /** The net score of a registered artifact; null: it is not registered. */
  netScoreOf: (url: string) => Promise<number | null>
}

const TEXTS =
  /^(?:config\.json|adapter_config\.json|dataset_infos?\.json|(?:model\.safetensors|pytorch_model\.bin)\.index\.json|requirements[^/]*\.txt|(?:licen[cs]e|copying|unlicense)(?:\.\w+)?)$/i
const MAX_TEXTS = 10
const MAX_DATASETS = 5

/** @throws SiltstoneError of the source, if it cannot even be described: `not-found`, `unavailable`, … */
export async function collectEvidence(options: CollectOptions): Promise<Evidence> {
  const { source, clock, subject, linked } = options
  const learn = learner(clock)
  const began = clock.monotonicMs()
  const described = await source.describe()
  const tookMs = clock.monotonicMs() - began
  const label = source.label

  const [readme, texts, commits] = await Promise.all([
    learn(label, () => readmeOf(source, described.files)),
    learn(label, () => textsOf(source, described)),
    learn(`${label}/commits`, () => source.history(), listed),
  ])
  const card = cardOf(described, readme, label)
  const cardValue = valueOf(card)
  const codeSource = subject.type === 'code' ? source : codeFrom(linked, cardValue, valueOf(readme))
  const [code, codeCommits, reviews, datasets, parents] = await Promise.all([
    codeSource === undefined
      ? noCode<CodeTree>(readme, card)
      : learn(
          codeSource.label,
          () => codeTreeOf(codeSource),
          ({ value, limits }) => ({ value, limits }),
        ),
    codeSource === undefined
      ? noCode<readonly Commit[]>(readme, card)
      : learn(codeSource.label, () => codeSource.history(), listed),
    codeSource === undefined
      ? noCode<readonly ReviewedCommit[]>(readme, card)
      : learn(codeSource.label, () => codeSource.reviews(), listed),
    datasetsOf(options, card, learn),
    parentsOf(options, card, texts, described),
  ])
  return {
    v: EVIDENCE_VERSION,
    subject: { ...subject, revision: described.revision },
    observedOn: new Date(clock.nowMs()).toISOString().slice(0, 10),
    files: found(described.files, label, tookMs, described.filesLimits),
    texts,
    readme,
    card,
    hub: hubFacts(described, cardValue, card.state, label),
    commits,
    code,
    codeCommits,
    reviews,
    datasets,
    parents,
    reports: absent('registry'),
    runs: absent('registry'),
  }
}

type Learn = ReturnType<typeof learner>

/** Times the work; undefined becomes `absent`, an error of the source `unknown`. */
function learner(clock: Clock) {
  return async function learn<R, T = R>(
    source: string,
    work: () => Promise<R | undefined>,
    shape: (result: R) => { value: T; limits?: string | undefined } = (result) => ({ value: result as unknown as T }),
  ): Promise<Part<T>> {
    const began = clock.monotonicMs()
    try {
      const result = await work()
      const tookMs = clock.monotonicMs() - began
      if (result === undefined) return absent(source, tookMs)
      const { value, limits } = shape(result)
      return found(value, source, tookMs, limits)
    } catch (error) {
      if (!isSiltstoneError(error)) throw error
      const tookMs = clock.monotonicMs() - began
      return error.kind === 'not-found' ? absent(source, tookMs) : unknownPart(error.message, source, tookMs)
    }
  }
}

const listed = <T>({ items, limits }: { items: readonly T[]; limits?: string }) => ({ value: items, limits })

async function readmeOf(source: Source, files: readonly SourceFile[]): Promise<string | undefined> {
  const file =
    files.find(({ path }) => /^readme\.md$/i.test(path)) ?? files.find(({ path }) => /^readme(?:\.\w+)?$/i.test(path))
  return file === undefined ? undefined : source.read(file.path)
}

async function textsOf(source: Source, { files, licence }: Description): Promise<Record<string, string>> {
  const wanted = files
    .filter(({ path, sizeBytes }) => TEXTS.test(path) && (sizeBytes ?? 0) <= MAX_TEXT_BYTES)
    .slice(0, MAX_TEXTS)
  const read = await Promise.all(wanted.map(async ({ path }) => [path, await source.read(path)] as const))
  const texts = Object.fromEntries(read.flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])))
  // The source has compared the text with the known licences, which says more than the title of the text.
  const path = Object.keys(texts).find((each) => /^(?:licen[cs]e|copying)/i.test(each)) ?? 'LICENSE'
  return licence === undefined ? texts : { ...texts, [path]: `SPDX-License-Identifier: ${licence}\n` }
}

function cardOf(described: Description, readme: Part<string>, label: string): Part<JsonObject> {
  if (described.card !== undefined) return found(described.card, label)
  if (readme.state !== 'found') return readme.state === 'absent' ? absent(label) : unknownPart(readme.reason, label)
  const { frontMatter } = splitFrontMatter(readme.value)
  const card = frontMatter === undefined ? undefined : parseFrontMatter(frontMatter)
  return card === undefined ? absent(label) : found(card, label)
}

/** Of a source that does not compute them, what the card itself says. */
function hubFacts(
  described: Description,
  card: JsonObject | undefined,
  cardState: string,
  label: string,
): Evidence['hub'] {
  if (described.facts !== undefined) return found(described.facts, label)
  if (cardState === 'unknown') return unknownPart('the card was not read', label)
  if (card === undefined) return absent(label)
  const text = (key: string) => (typeof card[key] === 'string' ? card[key] : null)
  const tags = Array.isArray(card['tags']) ? card['tags'].filter((tag) => typeof tag === 'string') : []
  return found(
    { pipelineTag: text('pipeline_tag'), libraryName: text('library_name'), tags, downloads: null, parameters: null },
    label,
  )
}

function codeFrom(linked: LinkedSources, card: JsonObject | undefined, readme: string | undefined): Source | undefined {
  for (const url of linkedCode(card, readme === undefined ? '' : readReadme(readme).body)) {
    const source = linked.code(url)
    if (source !== undefined) return source
  }
  return undefined
}

/** Without README and card it is unknown whether code is linked. */
function noCode<T>(readme: Part<string>, card: Part<JsonObject>): Part<T> {
  const unread = [readme, card].find(({ state }) => state === 'unknown')
  return unread === undefined ? absent(readme.source) : unknownPart('README or card was not read', unread.source)
}

async function datasetsOf(
  options: CollectOptions,
  card: Part<JsonObject>,
  learn: Learn,
): Promise<Evidence['datasets']> {
  const { linked, subject } = options
  if (card.state === 'unknown') return unknownPart(card.reason, card.source)
  const ids = namedDatasets(valueOf(card))
  if (ids.length === 0 || subject.type === 'dataset') return absent(card.source)
  const sources = ids.slice(0, MAX_DATASETS).flatMap((id) => {
    const source = linked.dataset(id)
    return source === undefined ? [] : [{ id, source }]
  })
  const asked = await Promise.all(sources.map(({ id, source }) => learn(source.label, () => datasetFacts(id, source))))
  const tookMs = Math.max(0, ...asked.map((part) => part.tookMs))
  const facts = asked.flatMap((part) => valueOf(part) ?? [])
  const failed = asked.find((part) => part.state === 'unknown')
  if (failed !== undefined && facts.length === 0) return { ...failed, tookMs }
  const asks =
    failed === undefined && ids.length <= MAX_DATASETS ? undefined : `${facts.length} of ${ids.length} datasets`
  return found(facts, sources[0]?.source.label ?? card.source, tookMs, asks)
}

async function datasetFacts(id: string, source: Source): Promise<DatasetFacts> {
  const { files, card: own, facts } = await source.describe()
  const readme = await readmeOf(source, files)
  const card = own ?? parseFrontMatter(splitFrontMatter(readme ?? '').frontMatter ?? '')
  const info = JSON.stringify(card?.['dataset_info'] ?? null)
  const licence = card?.['license']
  return {
    id,
    hasCard: readme !== undefined && readReadme(readme).words > 0,
    licence:
      typeof licence === 'string'
        ? licence
        : Array.isArray(licence) && typeof licence[0] === 'string'
          ? licence[0]
          : null,
    hasSize:
      /"num_(?:examples|bytes)"|"dataset_size"/.test(info) ||
      card?.['size_categories'] !== undefined ||
      files.some(isData),
    hasFeatures: /"features"|"splits"/.test(info) || card?.['configs'] !== undefined,
    hasProvenance:
      ['source_datasets', 'annotations_creators', 'paperswithcode_id'].some((key) => card?.[key] !== undefined) ||
      readReadme(readme ?? '').headings.some((heading) =>
        /\b(?:source data|provenance|data collection|annotation|citation)\b/i.test(heading),
      ),
    downloads: facts?.downloads ?? null,
  }
}

const isData = ({ path, sizeBytes }: SourceFile) =>
  sizeBytes !== null &&
  /\.(?:parquet|arrow|csv|tsv|jsonl?|txt|zip|tar|gz|zst)$/.test(path) &&
  !/^(?:\.|dataset_infos?\.json)/.test(path)

async function parentsOf(
  { linked, netScoreOf, subject }: CollectOptions,
  card: Part<JsonObject>,
  texts: Evidence['texts'],
  { facts }: Description,
): Promise<Evidence['parents']> {
  const unread = [card, texts].find(({ state }) => state === 'unknown')
  const files = valueOf(texts) ?? {}
  const named = namedParents(subject.repository, valueOf(card), facts?.tags ?? [], files)
  if (named.length === 0) {
    if (unread !== undefined) return unknownPart('card or configuration was not read', unread.source)
    const hasMetadata =
      card.state === 'found' || files['config.json'] !== undefined || files['adapter_config.json'] !== undefined
    return hasMetadata ? found([], card.source) : absent(card.source)
  }
  const parents = await Promise.all(
    named.map(async ({ id, relation }): Promise<Parent> => {
      const url = linked.modelUrl(id)
      return { url, relation, netScore: await netScoreOf(url) }
    }),
  )
  return found(
    parents,
    named[0]?.place ?? 'model_card',
    0,
    unread === undefined ? undefined : 'card or configuration was not read',
  )
}

/** What an artifact's metadata keeps of its evidence, for lists, search, lineage, cost and the licence check. */
import { namedDatasets } from '../evidence/card.ts'
import { type Evidence, valueOf } from '../evidence/evidence.ts'
import { licenceValue } from '../licences/classes.ts'
import { type LicenceExpression, licenceText } from '../licences/expression.ts'
import { statedLicences } from '../metrics/license.ts'
import { loadableWeights } from '../metrics/weights.ts'
import type { Sources } from '../sources/sources.ts'
import type { ArtifactFacts, Link, ReadmeFacts } from '../store/artifact-document.ts'
import { MAX_README_CHARACTERS } from '../store/artifact-document.ts'

export interface FactsOptions {
  evidence: Evidence
  digest: string
  netScore: number | null
  at: string
  sources: Pick<Sources, 'hubUrl' | 'codeUrl'>
}

const WEIGHTS = /\.(?:safetensors|bin|pt|pth|ckpt|h5|msgpack|gguf|onnx|onnx_data|tflite|ot|npz)$/

export function factsOf({ evidence, digest, netScore, at, sources }: FactsOptions): ArtifactFacts {
  const hub = valueOf(evidence.hub)
  const licence = strictestLicence(evidence)
  return {
    evidence: digest,
    revision: evidence.subject.revision,
    netScore,
    licence: licence === undefined ? null : licenceText(licence),
    sizeBytes: sizeOf(evidence),
    links: linksOf(evidence, sources),
    tags: hub?.tags.slice(0, 50) ?? [],
    libraryName: hub?.libraryName ?? null,
    at,
  }
}

export function readmeFacts(evidence: Evidence): ReadmeFacts {
  return {
    readme_text: (valueOf(evidence.readme) ?? '').slice(0, MAX_README_CHARACTERS),
    pipeline_tag: valueOf(evidence.hub)?.pipelineTag ?? null,
    datasets: namedDatasets(valueOf(evidence.card)),
  }
}

/** Of the places that state a licence, that with the strictest; undefined: none states one that is known. */
export function strictestLicence(evidence: Evidence): LicenceExpression | undefined {
  const stated = statedLicences(evidence).flatMap(({ expression }) => expression ?? [])
  return stated.toSorted((a, b) => licenceValue(a).value - licenceValue(b).value)[0]
}

/** One loadable set of weights, and everything that is no weights: other formats of the same weights need not be downloaded. */
function sizeOf(evidence: Evidence): number | null {
  const files = valueOf(evidence.files)
  if (files === undefined) return null
  const weights = evidence.subject.type === 'model' ? loadableWeights(evidence) : undefined
  const counted = weights === undefined ? files : files.filter(({ path }) => !WEIGHTS.test(path))
  if (counted.some(({ sizeBytes }) => sizeBytes === null)) return null
  return counted.reduce((sum, file) => sum + (file.sizeBytes ?? 0), weights?.sizeBytes ?? 0)
}

function linksOf(evidence: Evidence, sources: FactsOptions['sources']): Link[] | null {
  const { parents, code, card, subject } = evidence
  const links: Link[] = (valueOf(parents) ?? []).map(({ url, relation }) => ({
    url,
    type: 'model',
    relation,
    source: parents.source,
  }))
  if (subject.type === 'model') {
    for (const id of namedDatasets(valueOf(card))) {
      links.push({
        url: sources.hubUrl('dataset', id),
        type: 'dataset',
        relation: 'fine_tuning_dataset',
        source: 'model_card',
      })
    }
    const url = sources.codeUrl(valueOf(code)?.url ?? '')
    if (url !== undefined) links.push({ url, type: 'code', relation: 'training_code', source: 'model_card' })
  }
  return links.length === 0 && parents.state !== 'found' ? null : links
}

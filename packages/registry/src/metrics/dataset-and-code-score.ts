/** `dataset_and_code_score`: are the datasets and the code named, and do they exist? */
import { type Evidence, valueOf } from '../evidence/evidence.ts'
import { linksIn, readReadme } from '../evidence/readme.ts'
import { measurement, type Metric, type Reason, unknownMeasurement } from './measurement.ts'

const FULL = 0.5
const HALF = 0.25
const SCRIPT = /\.(?:py|ipynb|ts|js|rs|go|cpp|c|java|jl|r|sh)$/i

/** `the Meridian corpus`, `trained on SQuAD`: a name before the word, or one that looks like no word of a sentence. */
const NAMED_DATA =
  /\b(?!(?:The|This|That|These|Our|Each|All|New|Any)\b)[A-Z][\w-]{1,40} (?:dataset|data set|corpus)\b|\b(?:trained|tuned|training) on (?:the )?[A-Z](?=[\w-]{0,40}[A-Z0-9])[\w-]{1,40}/

export const datasetAndCodeScore: Metric = {
  name: 'dataset_and_code_score',
  reads: ['card', 'readme', 'datasets', 'code', 'files'],
  measure(evidence) {
    const { card, readme, datasets, code, files } = evidence
    if (card.state === 'unknown' && readme.state === 'unknown') {
      return unknownMeasurement(`neither card nor README was read: ${readme.reason}`, readme.source)
    }
    const isPartial = [card, readme, datasets, code, files].some(({ state }) => state === 'unknown')
    return measurement([datasetReason(evidence), codeReason(evidence)], isPartial ? 'partial' : 'measured')
  },
}

function datasetReason({ card, readme, datasets }: Evidence): Reason {
  const existing = valueOf(datasets) ?? []
  if (existing.length > 0) {
    return {
      text: `datasets that exist: ${existing.map(({ id }) => id).join(', ')}`,
      source: datasets.source,
      points: FULL,
    }
  }
  const named = valueOf(card)?.['datasets']
  const names = (Array.isArray(named) ? named : [named]).filter((name) => typeof name === 'string')
  if (names.length > 0) {
    const why =
      datasets.state === 'unknown' ? `not asked whether they exist (${datasets.reason})` : 'not found at the source'
    return { text: `the card names ${names.join(', ')}; ${why}`, source: card.source, points: HALF }
  }
  const text = readReadme(valueOf(readme) ?? '')
  const link = linksIn(text.body).find((each) => /\/datasets\//.test(each))
  if (link !== undefined) return { text: `the README links ${link}`, source: readme.source, points: HALF }
  const inProse = NAMED_DATA.exec(text.prose)
  return inProse === null
    ? { text: 'no dataset is named', source: readme.source, points: 0 }
    : { text: `the README names data in prose: "${inProse[0]}"`, source: readme.source, points: HALF }
}

function codeReason({ code, files, readme }: Evidence): Reason {
  const tree = valueOf(code)
  if (tree !== undefined) return { text: `code that exists: ${tree.url}`, source: code.source, points: FULL }
  const script = valueOf(files)?.find(({ path }) => SCRIPT.test(path))
  if (script !== undefined)
    return { text: `a script beside the artifact: ${script.path}`, source: files.source, points: HALF }
  const why = code.state === 'unknown' ? `not asked: ${code.reason}` : 'none is linked'
  return { text: `no code: ${why}`, source: code.state === 'unknown' ? code.source : readme.source, points: 0 }
}

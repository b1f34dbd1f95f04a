/** Claims of performance: the results that a card lists as data (`model-index`, `eval_results`), and words for metrics. */
import type { Json, JsonObject } from '../evidence/evidence.ts'

export interface Claim {
  task: string | undefined
  dataset: string | undefined
  metric: string | undefined
  value: number | undefined
  /** Says which configuration or revision of the dataset was used. */
  isPrecise: boolean
  sourceUrl: string | undefined
  /** The hub checked it and signed that: a card alone can claim `verified`. */
  isVerified: boolean
}

export const METRIC_WORD =
  /\b(?:accuracy|acc|f1|bleu|sacrebleu|rouge(?:-?[12l])?|meteor|perplexity|ppl|wer|cer|exact[ _-]match|em|map|ndcg(?:@\d+)?|mrr|recall(?:@\d+)?|precision|auc|auroc|iou|miou|mse|mae|rmse|spearman|pearson|pass@\d+|mcc|score)\b/i

export function claimsOf(card: JsonObject): Claim[] {
  const indexed = listOf(card['model-index']).flatMap((model) =>
    listOf(member(model, 'results')).flatMap(claimsOfResult),
  )
  return [...indexed, ...listOf(card['eval_results']).flatMap(claimsOfResult)]
}

function claimsOfResult(result: Json): Claim[] {
  const dataset = member(result, 'dataset')
  const sourceUrl = text(member(member(result, 'source'), 'url'))
  const base = {
    task: text(member(member(result, 'task'), 'type')) ?? text(member(result, 'task_type')),
    dataset: text(member(dataset, 'type')) ?? text(member(dataset, 'name')) ?? text(member(result, 'dataset_type')),
    isPrecise: text(member(dataset, 'config')) !== undefined || text(member(dataset, 'revision')) !== undefined,
    sourceUrl: sourceUrl !== undefined && /^https?:\/\//.test(sourceUrl) ? sourceUrl : undefined,
  }
  return listOf(member(result, 'metrics')).map((metric) => ({
    ...base,
    metric: text(member(metric, 'type')) ?? text(member(metric, 'name')),
    value: number(member(metric, 'value')),
    isVerified: member(metric, 'verified') === true && text(member(metric, 'verifyToken')) !== undefined,
  }))
}

const listOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? value : isObject(value) ? [value] : []
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const member = (value: Json | undefined, key: string): Json | undefined => (isObject(value) ? value[key] : undefined)
const text = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

function number(value: Json | undefined): number | undefined {
  const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : undefined
}

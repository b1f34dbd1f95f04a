/** Which objects are processed, and into which collections. */
import { invalid } from 'siltstone/internal'
import * as v from 'valibot'

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const ruleSchema = v.strictObject({
  bucket: v.optional(text),
  prefix: v.optional(v.string()),
  collection: v.optional(text),
  process: v.optional(v.boolean()),
  expireDays: v.optional(v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1, 'must be 1 or more'))),
  onExpire: v.optional(v.picklist(['keep', 'delete'])),
})
const fileSchema = v.strictObject({ rules: v.array(ruleSchema) })

export type ProcessingRule = v.InferOutput<typeof ruleSchema>

export interface Expiry {
  ageMs: number
  keepsRecords: boolean
}

const DAY_MS = 24 * 3_600_000

/** Files that processors made: thumbnails. They belong to an object and are not processed themselves. */
export const DERIVED_PREFIX = 'derived/'

/** What somebody else puts there, and removes: the audio and the results of jobs of speech. Sweeps leave it alone. */
export const TEMPORARY_PREFIX = `${DERIVED_PREFIX}transcribe/`

/**
 * The rule with the longest prefix decides, one that names the bucket before one that does not. Without a rule an object is
 * processed into the collection with the name of its bucket.
 */
export class ProcessingRules {
  readonly #rules: readonly ProcessingRule[]

  constructor(rules: readonly ProcessingRule[] = []) {
    this.#rules = [...rules].sort(
      (a, b) =>
        (b.prefix ?? '').length - (a.prefix ?? '').length ||
        Number(b.bucket !== undefined) - Number(a.bucket !== undefined),
    )
  }

  /** @throws SiltstoneError `invalid` (bad-rules) */
  static parse(json: string): ProcessingRules {
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch (cause) {
      throw invalid('bad-rules', `The rules of processing are not JSON: ${(cause as Error).message}`, {
        cause,
        field: 'objects-rules',
      })
    }
    const parsed = v.safeParse(fileSchema, value)
    if (parsed.success) return new ProcessingRules(parsed.output.rules)
    const [issue] = parsed.issues
    const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    throw invalid(
      'bad-rules',
      `The rules of processing are not valid at ${path.join('') || 'their top'}: ${issue.message}. Give { "rules": [{ "bucket", "prefix", "collection", "process", "expireDays", "onExpire" }] }.`,
      { field: 'objects-rules' },
    )
  }

  /** As `parse` reads them. */
  get text(): string {
    return JSON.stringify({ rules: this.#rules })
  }

  /** The name of the collection; undefined: the object is not processed. */
  collectionOf(bucket: string, key: string): string | undefined {
    if (key.startsWith(DERIVED_PREFIX)) return undefined
    const rule = this.#ruleOf(bucket, key)
    return rule?.process === false ? undefined : (rule?.collection ?? bucket)
  }

  /** After how long an object is deleted because of its age, and whether its records stay. Undefined: never. */
  expiryOf(bucket: string, key: string): Expiry | undefined {
    if (key.startsWith(DERIVED_PREFIX)) return undefined
    const { expireDays, onExpire = 'keep' } = this.#ruleOf(bucket, key) ?? {}
    return expireDays === undefined ? undefined : { ageMs: expireDays * DAY_MS, keepsRecords: onExpire === 'keep' }
  }

  #ruleOf(bucket: string, key: string): ProcessingRule | undefined {
    return this.#rules.find(
      (one) => (one.bucket === undefined || one.bucket === bucket) && key.startsWith(one.prefix ?? ''),
    )
  }
}

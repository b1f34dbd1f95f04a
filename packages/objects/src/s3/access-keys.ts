/**
 * Access keys of the S3 face: what each may do, and where.
 *
 * ```json
 * [
 *   { "accessKeyId": "AKmedia01", "secretAccessKey": "…at least 16 characters…", "user": "app",
 *     "buckets": ["media"], "prefixes": ["uploads/"], "verbs": ["read", "list", "write"] }
 * ]
 * ```
 * Without `buckets`, `prefixes` or `verbs` the key is for all of them. `admin` makes and removes buckets and changes their
 * settings; it needs a key for all prefixes.
 */
import * as v from 'valibot'
import { invalid } from 'siltstone/internal'

const VERBS = ['read', 'list', 'write', 'delete', 'admin'] as const
export type Verb = (typeof VERBS)[number]

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const entrySchema = v.strictObject({
  accessKeyId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{4,128}$/, 'must be 4 to 128 letters and digits')),
  secretAccessKey: v.pipe(v.string(), v.minLength(16, 'must have at least 16 characters')),
  user: v.optional(text),
  buckets: v.optional(v.pipe(v.array(text), v.nonEmpty('must not be empty'))),
  prefixes: v.optional(v.pipe(v.array(v.string()), v.nonEmpty('must not be empty'))),
  verbs: v.optional(v.pipe(v.array(v.picklist(VERBS)), v.nonEmpty('must not be empty'))),
})
const fileSchema = v.pipe(v.array(entrySchema), v.nonEmpty('must not be empty'))

export type AccessKey = v.InferOutput<typeof entrySchema>

export class AccessKeys {
  readonly #keys: ReadonlyMap<string, AccessKey>

  constructor(keys: readonly AccessKey[]) {
    this.#keys = new Map(keys.map((key) => [key.accessKeyId, key]))
  }

  /**
   * @param json of the file or the environment variable
   * @throws SiltstoneError `invalid` (bad-access-keys), which names the entry but never a secret
   */
  static parse(json: string): AccessKeys {
    let value: unknown
    try {
      value = JSON.parse(json)
    } catch {
      // Without the parser's message and cause, which quote the text and might reveal a secret.
      throw bad('the text is not JSON')
    }
    const parsed = v.safeParse(fileSchema, value)
    if (!parsed.success) {
      const [issue] = parsed.issues
      const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
      throw bad(
        `${path.join('') || 'the list'}: ${issue.kind === 'schema' ? `must be ${issue.expected ?? 'something else'}` : issue.message}`,
      )
    }
    const ids = parsed.output.map(({ accessKeyId }) => accessKeyId)
    const twice = ids.find((id, at) => ids.indexOf(id) !== at)
    if (twice !== undefined) throw bad(`the access key ${twice} is there twice`)
    return new AccessKeys(parsed.output)
  }

  /** There is at least one. */
  first(): AccessKey {
    return [...this.#keys.values()][0] as AccessKey
  }

  find(accessKeyId: string): AccessKey | undefined {
    return this.#keys.get(accessKeyId)
  }
}

function bad(detail: string): Error {
  return invalid('bad-access-keys', `The access keys are not valid: ${detail}`, { field: 'objects-keys' })
}

/** Whether the key allows a verb in a bucket, for one key of an object or for all keys below a prefix. */
export function allows(
  key: AccessKey,
  verb: Verb,
  bucket: string | undefined,
  keyOrPrefix: string | undefined,
): boolean {
  if (key.verbs !== undefined && !key.verbs.includes(verb)) return false
  if (key.buckets !== undefined && bucket !== undefined && !key.buckets.includes(bucket)) return false
  if (key.prefixes === undefined) return true
  return keyOrPrefix !== undefined && key.prefixes.some((prefix) => keyOrPrefix.startsWith(prefix))
}

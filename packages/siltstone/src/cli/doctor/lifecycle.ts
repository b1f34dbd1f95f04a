/** Finds lifecycle rules that delete or archive objects which the store needs. */
import type { AwsFacts } from '../../drivers/aws/inspect.ts'
import { type Check, fail, ok, warn } from './check.ts'

const NAME = 'lifecycle'
/** No process may have compacted for some days. */
const SHORT_DELTA_DAYS = 7
const SLOW_CLASSES = new Set(['GLACIER', 'DEEP_ARCHIVE'])
/** Prefixes whose objects may be needed as long as the collection exists. */
const LASTING = ['snapshot/', 'catalog/', 'embeddings/']

type Rule = Extract<NonNullable<AwsFacts['lifecycle']>, { value: unknown }>['value'][number]

/** One check per problem; a single `ok` without problems. */
export function checkLifecycle({ lifecycle, place, versioning }: AwsFacts): Check[] {
  if (lifecycle === undefined) return []
  if ('error' in lifecycle)
    return [
      warn(
        NAME,
        lifecycle.error.message,
        'Give these credentials s3:GetLifecycleConfiguration, and run the check again.',
      ),
    ]
  const rules = lifecycle.value.filter(({ Status }) => Status === 'Enabled')
  const checks = rules.flatMap((rule) => problemsOf(rule, place.prefix))
  if (!rules.some(({ AbortIncompleteMultipartUpload: abort }) => abort?.DaysAfterInitiation !== undefined))
    checks.push(
      warn(
        NAME,
        'unfinished multipart uploads are never deleted',
        'Add a rule with AbortIncompleteMultipartUpload of 1 day: their parts cost money, and listings do not show them.',
      ),
    )
  const keepsVersions = versioning !== undefined && 'value' in versioning && versioning.value === 'Enabled'
  if (keepsVersions && !rules.some(({ NoncurrentVersionExpiration: old }) => old?.NoncurrentDays !== undefined))
    checks.push(
      warn(
        NAME,
        'noncurrent versions are never deleted',
        'Add a rule with NoncurrentVersionExpiration: deleted garbage still costs money.',
      ),
    )
  return checks.length > 0 ? checks : [ok(NAME, `${rules.length} rules, none of which deletes needed objects`)]
}

function problemsOf(rule: Rule, root: string): Check[] {
  const title = `rule ${rule.ID ?? '(without a name)'}`
  const { Filter: filter } = rule
  // A rule with a tag filter applies to tagged objects only, and Siltstone tags none.
  if (filter?.Tag !== undefined || (filter?.And?.Tags?.length ?? 0) > 0) return []
  const covered = filter?.Prefix ?? filter?.And?.Prefix ?? (rule as { Prefix?: string }).Prefix ?? ''
  const covers = (folder: string) => (root + folder).startsWith(covered) || covered.startsWith(root + folder)
  const lasting = LASTING.filter(covers)
  const checks: Check[] = []
  const days = rule.Expiration?.Days
  const expires = days !== undefined || rule.Expiration?.Date !== undefined
  if (expires && lasting.length > 0)
    checks.push(
      fail(
        NAME,
        `${title} deletes from ${lasting.join(' and ')}`,
        'Remove it: old objects hold live records. "siltstone gc" deletes objects that are no longer needed.',
      ),
    )
  if (days !== undefined && days < SHORT_DELTA_DAYS && covers('delta/'))
    checks.push(
      warn(
        NAME,
        `${title} deletes from delta/ after ${days} days`,
        'Make it 7 days or more: writes that are not compacted by then are lost.',
      ),
    )
  const slow = (rule.Transitions ?? []).find(({ StorageClass = '' }) => SLOW_CLASSES.has(StorageClass))
  if (slow !== undefined && (lasting.length > 0 || covers('delta/')))
    checks.push(
      fail(
        NAME,
        `${title} moves objects to ${slow.StorageClass} after ${slow.Days ?? 0} days`,
        'Use GLACIER_IR, or a filter by tag: archived objects cannot be read.',
      ),
    )
  return checks
}

/** Lifecycle rules that delete or archive what the store still needs. */
import type { AwsFacts } from '../../drivers/aws/inspect.ts'
import { type Check, fail, ok, warn } from './check.ts'

const NAME = 'lifecycle'
/** Nobody may have compacted for some days. */
const SHORT_DELTA_DAYS = 7
const SLOW_CLASSES = new Set(['GLACIER', 'DEEP_ARCHIVE'])
/** Folders that hold what is needed for as long as there is a collection. */
const LASTING = ['snapshot/', 'catalog/', 'embeddings/']

type Rule = Extract<NonNullable<AwsFacts['lifecycle']>, { value: unknown }>['value'][number]

/** One check for each problem, or one that all is well. */
export function checkLifecycle({ lifecycle, place, versioning }: AwsFacts): Check[] {
  if (lifecycle === undefined) return []
  if ('error' in lifecycle)
    return [warn(NAME, lifecycle.error.message, 'Give these credentials s3:GetLifecycleConfiguration, and look again.')]
  const rules = lifecycle.value.filter(({ Status }) => Status === 'Enabled')
  const checks = rules.flatMap((rule) => problemsOf(rule, place.prefix))
  if (!rules.some(({ AbortIncompleteMultipartUpload: abort }) => abort?.DaysAfterInitiation !== undefined))
    checks.push(
      warn(
        NAME,
        'uploads that were never finished are kept for ever',
        'Add a rule with AbortIncompleteMultipartUpload of 1 day: their parts cost money and show nowhere.',
      ),
    )
  const keepsVersions = versioning !== undefined && 'value' in versioning && versioning.value === 'Enabled'
  if (keepsVersions && !rules.some(({ NoncurrentVersionExpiration: old }) => old?.NoncurrentDays !== undefined))
    checks.push(
      warn(
        NAME,
        'old versions are kept for ever',
        'Add a rule with NoncurrentVersionExpiration: everything that was ever collected is still paid for.',
      ),
    )
  return checks.length > 0 ? checks : [ok(NAME, `${rules.length} rules, none of which takes what is needed`)]
}

function problemsOf(rule: Rule, root: string): Check[] {
  const title = `rule ${rule.ID ?? '(without a name)'}`
  const { Filter: filter } = rule
  // Our collector tags what it would delete; a rule that asks for a tag or a size takes nothing else.
  if (filter?.Tag !== undefined || (filter?.And?.Tags?.length ?? 0) > 0) return []
  const covered = filter?.Prefix ?? filter?.And?.Prefix ?? (rule as { Prefix?: string }).Prefix ?? ''
  const takes = (folder: string) => (root + folder).startsWith(covered) || covered.startsWith(root + folder)
  const lasting = LASTING.filter(takes)
  const checks: Check[] = []
  const days = rule.Expiration?.Days
  const expires = days !== undefined || rule.Expiration?.Date !== undefined
  if (expires && lasting.length > 0)
    checks.push(
      fail(
        NAME,
        `${title} deletes from ${lasting.join(' and ')}`,
        'Remove it: live records are in old objects. What is not needed any more "siltstone gc" deletes.',
      ),
    )
  if (days !== undefined && days < SHORT_DELTA_DAYS && takes('delta/'))
    checks.push(
      warn(
        NAME,
        `${title} deletes from delta/ after ${days} days`,
        'Make it 7 days or more: writes that nobody compacted until then are lost.',
      ),
    )
  const slow = (rule.Transitions ?? []).find(({ StorageClass = '' }) => SLOW_CLASSES.has(StorageClass))
  if (slow !== undefined && (lasting.length > 0 || takes('delta/')))
    checks.push(
      fail(
        NAME,
        `${title} moves objects to ${slow.StorageClass} after ${slow.Days ?? 0} days`,
        'Use GLACIER_IR, or a filter by tag: what was archived cannot be read.',
      ),
    )
  return checks
}

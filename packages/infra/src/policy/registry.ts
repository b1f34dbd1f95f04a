/** What the function that serves the artifact registry may do. */
import {
  CATALOG_PREFIX,
  DELTA_PREFIX,
  KEY_PATTERNS,
  LATEST_POINTER_KEY,
  REGISTRY_PREFIXES,
  SNAPSHOT_PREFIX,
} from '../keys.ts'
import { allow, policy, type PolicyDocument } from './document.ts'
import { embedding, key, list, logs, objects, type RoleResources, secrets, traces, wakeUp } from './roles.ts'

/**
 * Four actions on objects: get, put, delete and list. Below the registry's own prefixes it may do all of them. Its index is two
 * collections of the store: it appends to their logs, and reads what the compactor makes of them. It deletes nothing of the store but
 * deltas that its entries have taken. Links for downloads are signed with this role, so they reach no further than it does.
 */
export const registryPolicy = (resources: Omit<RoleResources, 'lockTableArn'>): PolicyDocument =>
  policy(
    allow(
      'Registry',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      objects(resources, ...KEY_PATTERNS.registry),
    ),
    allow(
      'ReadIndex',
      ['s3:GetObject'],
      objects(resources, KEY_PATTERNS.deltas, KEY_PATTERNS.snapshots, KEY_PATTERNS.catalog),
    ),
    allow(
      'WriteIndex',
      ['s3:PutObject'],
      objects(resources, KEY_PATTERNS.log, KEY_PATTERNS.taken, LATEST_POINTER_KEY, KEY_PATTERNS.catalog),
    ),
    allow('ClearInboxes', ['s3:DeleteObject'], objects(resources, KEY_PATTERNS.inbox)),
    list(resources, ...REGISTRY_PREFIXES, DELTA_PREFIX, SNAPSHOT_PREFIX, CATALOG_PREFIX),
    wakeUp(resources),
    key(resources, 'kms:GenerateDataKey', 'kms:Decrypt'),
    secrets(resources),
    embedding(resources),
    logs(resources),
    traces(),
  )

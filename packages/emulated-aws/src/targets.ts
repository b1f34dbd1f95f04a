/** The services that the suites run against, as `main.ts` passes them. */
import { randomBytes } from 'node:crypto'

export interface Target {
  name: string
  /** Undefined: AWS itself. */
  endpoint: string | undefined
}

/** @throws Error outside of `run.sh` */
export function targets(): Target[] {
  const told = process.env['SILTSTONE_TEST_TARGETS']
  if (told === undefined) throw new Error('run these suites with test/aws/run.sh: it starts the servers that they need')
  return JSON.parse(told) as Target[]
}

/** The target as environment variables of a process. */
export function variablesOf({ endpoint }: Target): Record<string, string | undefined> {
  return { ...process.env, AWS_ENDPOINT_URL: endpoint }
}

/** Names of buckets, queues and tables that no earlier run has used. */
export const freshName = (what: string): string => `siltstone-test-${what}-${randomBytes(6).toString('hex')}`

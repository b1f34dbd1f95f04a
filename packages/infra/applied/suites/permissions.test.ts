/**
 * The permission table on a server that enforces IAM, with the roles, policies, boundary and bucket policy that the
 * programs created there. The expected answer of a row is the evaluator's, for the conditions that the server knows.
 */
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PERMISSIONS, type Row } from '../../src/testing/index.ts'
import { decide, EVERYTHING, type Policies, policiesOf } from '../../test/support/iam.ts'
import { type Account, deployed, REGION } from '../account.ts'
import { writeTable, type TableRow } from '../table.ts'
import { notAsked, Server, UNKNOWN_KEYS, verdictOf, withoutUnknownKeys } from '../verdicts.ts'

let account: Account
let policies: Policies
let server: Server
const table: TableRow[] = []

beforeAll(async () => {
  account = await deployed('dev', EVERYTHING.config)
  const id = String(account.stack.outputs['bucket_name']).split('-').at(-1) ?? ''
  policies = policiesOf({ stack: account.stack, admin: account.admin, name: 'dev', account: id, region: REGION })
  server = new Server(account, policies.names)
})
afterAll(async () => {
  await account.stop()
  await writeTable(table)
})

const title = ({ subject, action, resource, context }: Row) =>
  `${subject} ${action} ${resource}${context === undefined ? '' : ` ${JSON.stringify(context)}`}`

describe('trust', () => {
  // The server accepts any caller for a service principal without conditions, so the functions' roles prove nothing here.
  it.each(['schedule', 'deploy'] as const)(
    "does not let even the administrator assume the %s's role",
    async (subject) => {
      const RoleArn = `arn:aws:iam::${policies.names.account}:role/${server.roleOf(subject)}`
      const attempt = account.root.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'attempt' }))
      await expect(attempt.then(() => 'Allowed', verdictOf)).resolves.not.toBe('Allowed')
    },
  )
})

describe('permissions on the server', () => {
  it.each(PERMISSIONS.map((row) => [title(row), row] as const))('%s', async (_, row) => {
    const evaluator = (await decide(row, policies)).verdict
    expect(evaluator).toBe(row.expected)
    const reason = notAsked(row)
    if (reason !== undefined) {
      table.push({ row, evaluator, server: `not asked: ${reason}` })
      return
    }
    const foreseen = (await decide(withoutUnknownKeys(row), policies)).verdict
    const unknown = Object.keys(row.context ?? {}).filter((key) => UNKNOWN_KEYS.has(key))
    const answer = await server.ask(row)
    const note = foreseen === evaluator ? '' : ` (does not know ${unknown.join(', ')})`
    table.push({ row, evaluator, server: `${answer}${note}` })
    expect(answer === 'Allowed').toBe(foreseen === 'Allowed')
  })
})

/** The verdicts as a page of the guide, written only if SILTSTONE_PERMISSIONS_TABLE names the file. */
import { writeFile } from 'node:fs/promises'
import type { Row } from '../src/testing/index.ts'

export interface TableRow {
  row: Row
  evaluator: string
  server: string
}

const HEADER = `# Who may do what

Every row of \`packages/infra/src/testing/permission-table.ts\`, with the verdict of an IAM evaluator
([iam-simulate](https://github.com/cloud-copilot/iam-simulate)) on the policies that the programs declare, and of a
server that enforces IAM ([MiniStack](https://pypi.org/project/ministack/) with \`AUTH=true\`) on which the programs were
deployed, asked with the role's own credentials. Written by \`packages/infra/applied/run.sh\`; a test fails when a verdict
differs from what is expected. Where the server does not know a condition, its answer is what the evaluator says
without that condition, and the row says so: there only the evaluator is a witness.

\`{bucket}\`, \`{queue}\`, \`{table}\`, \`{objects}\` (the bucket of objects), \`{ingestQueue}\` and so on stand for the stack's ARNs, \`service\` for a service of yours with the
service-access policy, \`deploy\` for the deploying role.

| who | action | resource | under | evaluator | server |
|---|---|---|---|---|---|
`

const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``

function shown({ row, evaluator, server }: TableRow): string {
  const context = Object.entries(row.context ?? {}).map(([key, value]) => code(`${key}: ${String(value)}`))
  return `| ${[row.subject, code(row.action), code(row.resource), context.join(' '), evaluator, server].join(' | ')} |`
}

export async function writeTable(rows: readonly TableRow[]): Promise<void> {
  const file = process.env['SILTSTONE_PERMISSIONS_TABLE']
  if (file === undefined || file === '') return
  await writeFile(
    file,
    `${HEADER}${rows.map(shown).join('\n')}\n\n*Checked by \`packages/infra/test/docs.test.ts\`.*\n`,
  )
}

import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { isProtected, stackNames } from '../names.ts'
import { common, type CommonArgs } from './common.ts'

/** The table's only key: `LOCK#<collection>/…`. */
export const LOCK_KEY_ATTRIBUTE = 'pk'

export type LockTableArgs = CommonArgs

/**
 * Leases of compactions, billed per request. It has no time to live: DynamoDB deletes expired items at any time, which would
 * reset the fencing number, and the lease compares times itself.
 *
 * Outputs: `table_name`, `table_arn`.
 * @throws InvalidArgument
 */
export class LockTable extends pulumi.ComponentResource {
  readonly tableName: pulumi.Output<string>
  readonly tableArn: pulumi.Output<string>

  constructor(name: string, args: LockTableArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:LockTable', name, {}, opts)
    const { environment, stack, tags } = common(args)
    const protect = isProtected(environment)
    const table = new aws.dynamodb.Table(
      `${name}-table`,
      {
        name: stackNames(stack).lockTable,
        billingMode: 'PAY_PER_REQUEST',
        hashKey: LOCK_KEY_ATTRIBUTE,
        attributes: [{ name: LOCK_KEY_ATTRIBUTE, type: 'S' }],
        // Without serverSideEncryption: encrypted with the key that AWS owns, which costs nothing.
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: protect,
        tags,
      },
      { parent: this, protect },
    )
    this.tableName = table.name
    this.tableArn = table.arn
    this.registerOutputs({ table_name: this.tableName, table_arn: this.tableArn })
  }
}

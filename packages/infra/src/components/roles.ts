import * as pulumi from '@pulumi/pulumi'
import { bedrockModelArn, EMBEDDING, type EmbedderChoice } from '../embedder.ts'
import { FUNCTIONS, type FunctionName, stackNames } from '../names.ts'
import { ROLE_POLICIES, type RoleResources } from '../policy/roles.ts'
import { common, whereabouts } from './common.ts'
import { createFunctionRole, type FunctionRoleArgs } from './function-role.ts'

export interface RolesArgs extends FunctionRoleArgs {
  bucketArn: pulumi.Input<string>
  queueArn: pulumi.Input<string>
  lockTableArn: pulumi.Input<string>
  /** The bucket's customer key, if it has one. */
  kmsKeyArn?: pulumi.Input<string>
  /** As the functions': Bedrock needs a permission, OpenAI a secret. */
  embedder?: EmbedderChoice
  /** As the functions': query and api read the tokens. */
  urlAuthorization?: 'AWS_IAM' | 'TOKENS'
  /** Default all. */
  only?: readonly FunctionName[]
}

export interface FunctionRole {
  arn: pulumi.Input<string>
  /** A function is created after its policy: Lambda checks permissions when it creates a function's mapping. */
  policy?: pulumi.Resource
}

/**
 * One role per function, with least privilege (`policy/roles.ts`).
 *
 * Outputs: `producer_role_arn`, `compactor_role_arn`, `query_role_arn`, `api_role_arn`.
 * @throws InvalidArgument
 */
export class Roles extends pulumi.ComponentResource {
  readonly roles: Partial<Record<FunctionName, FunctionRole>> = {}

  constructor(name: string, args: RolesArgs, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:Roles', name, {}, opts)
    const { stack } = common(args)
    const names = stackNames(stack)
    const { account, region } = whereabouts({ parent: this })
    for (const each of args.only ?? FUNCTIONS) {
      const resources: pulumi.Output<RoleResources> = pulumi.output({
        bucketArn: args.bucketArn,
        queueArn: args.queueArn,
        lockTableArn: args.lockTableArn,
        logGroupArn: pulumi.interpolate`arn:aws:logs:${region}:${account}:log-group:${names.logGroups[each]}`,
        kmsKeyArn: args.kmsKeyArn,
        parameterArns: parametersOf(each, args).map(
          (parameter) => pulumi.interpolate`arn:aws:ssm:${region}:${account}:parameter${names.parameters[parameter]}`,
        ),
        bedrockModelArn: EMBEDDING.includes(each)
          ? region.apply((id) => bedrockModelArn(args.embedder, id))
          : undefined,
      })
      const { role, policy } = createFunctionRole(
        args,
        {
          id: `${name}-${each}`,
          policyId: `${name}-${each}-policy`,
          name: names.roles[each],
          policyName: each,
          description: `What the ${each} function of ${stack} may do`,
          document: resources.apply(ROLE_POLICIES[each]),
        },
        this,
      )
      this.roles[each] = { arn: role.arn, policy }
    }
    this.registerOutputs(
      Object.fromEntries(Object.entries(this.roles).map(([each, role]) => [`${each}_role_arn`, role.arn])),
    )
  }
}

function parametersOf(each: FunctionName, { embedder, urlAuthorization }: RolesArgs): ('tokens' | 'openaiApiKey')[] {
  return [
    ...(urlAuthorization === 'TOKENS' && (each === 'query' || each === 'api') ? (['tokens'] as const) : []),
    ...(embedder?.provider === 'openai' && EMBEDDING.includes(each) ? (['openaiApiKey'] as const) : []),
  ]
}

import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { SERVER_ROLES } from '../names.ts'
import type { PolicyDocument } from '../policy/document.ts'
import { EXECUTION_POLICY, executionSecretsPolicy, INFRASTRUCTURE_POLICY } from '../policy/server.ts'
import { ecsTrust, tasksTrust } from '../policy/trust.ts'
import { policyText, whereabouts } from './common.ts'

export interface ServerRolesArgs {
  tags?: Record<string, string>
}

/**
 * The two roles with which ECS starts and connects servers (`Server`): once per account, by an administrator, because
 * neither fits into the permissions boundary of the roles that deployers make.
 *
 * Outputs: `server_execution_role_arn`, `server_infrastructure_role_arn`.
 */
export class ServerRoles extends pulumi.ComponentResource {
  readonly executionRoleArn: pulumi.Output<string>
  readonly infrastructureRoleArn: pulumi.Output<string>

  constructor(name: string, args: ServerRolesArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:ServerRoles', name, {}, opts)
    const parent = { parent: this }
    const tags = { Project: 'Siltstone', ...args.tags }
    const { account } = whereabouts(parent)
    const made = (id: 'execution' | 'infrastructure', description: string, trust: pulumi.Input<PolicyDocument>) =>
      new aws.iam.Role(
        `${name}-${id}`,
        { name: SERVER_ROLES[id], description, assumeRolePolicy: policyText(trust), tags },
        parent,
      )
    const execution = made('execution', 'Lets ECS start servers of Siltstone', account.apply(tasksTrust))
    const infrastructure = made('infrastructure', 'Lets ECS connect servers of Siltstone', ecsTrust())
    for (const [id, role, policyArn] of [
      ['execution', execution, EXECUTION_POLICY],
      ['infrastructure', infrastructure, INFRASTRUCTURE_POLICY],
    ] as const) {
      new aws.iam.RolePolicyAttachment(`${name}-${id}-managed`, { role: role.name, policyArn }, parent)
    }
    new aws.iam.RolePolicy(
      `${name}-execution-secrets`,
      { name: 'secrets', role: execution.name, policy: policyText(account.apply(executionSecretsPolicy)) },
      parent,
    )
    this.executionRoleArn = execution.arn
    this.infrastructureRoleArn = infrastructure.arn
    this.registerOutputs({
      server_execution_role_arn: this.executionRoleArn,
      server_infrastructure_role_arn: this.infrastructureRoleArn,
    })
  }
}

import * as aws from '@pulumi/aws'
import type * as pulumi from '@pulumi/pulumi'
import type { PolicyDocument } from '../policy/document.ts'
import { lambdaTrust } from '../policy/trust.ts'
import { common, type CommonArgs, policyText } from './common.ts'

export interface FunctionRoleArgs extends CommonArgs {
  /** Limits what the roles may do; `DeployPolicies` creates one. */
  permissionsBoundaryArn?: pulumi.Input<string>
}

export interface NewFunctionRole {
  /** Of the role in the program. */
  id: string
  policyId: string
  /** On AWS. */
  name: string
  policyName: string
  description: string
  document: pulumi.Input<PolicyDocument>
}

/** A role that Lambda may take, with what it may do as its only policy. */
export function createFunctionRole(
  args: FunctionRoleArgs,
  { id, policyId, name, policyName, description, document }: NewFunctionRole,
  parent: pulumi.Resource,
): { role: aws.iam.Role; policy: aws.iam.RolePolicy } {
  const { tags } = common(args)
  const role = new aws.iam.Role(
    id,
    {
      name,
      description,
      assumeRolePolicy: JSON.stringify(lambdaTrust()),
      ...(args.permissionsBoundaryArn !== undefined && { permissionsBoundary: args.permissionsBoundaryArn }),
      tags,
    },
    { parent },
  )
  const policy = new aws.iam.RolePolicy(
    policyId,
    { name: policyName, role: role.name, policy: policyText(document) },
    { parent },
  )
  return { role, policy }
}

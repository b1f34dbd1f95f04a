import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { BOUNDARY_NAME, checkProject, checkStack, checkStateBucket, NAME_PREFIX } from '../names.ts'
import {
  applicationManagementPolicy,
  runtimeBoundary,
  serviceAccessPolicy,
  statePolicy,
  storageManagementPolicy,
} from '../policy/deploy.ts'
import type { PolicyDocument } from '../policy/document.ts'
import { serverManagementPolicy } from '../policy/server.ts'
import { GITHUB_ISSUER, type GitHubSource, githubTrust } from '../policy/trust.ts'
import { policyText, whereabouts } from './common.ts'

export interface DeployPoliciesArgs {
  /** Only stacks of this name. Default: all stacks of the account. */
  stack?: string
  /** Also buckets named `{project}-{environment}-vector-{purpose}` (`VectorBucket`). */
  project?: string
  /** Also services of ECS (`Server`). */
  servers?: boolean
  /** Creates a role that workflows of this repository assume, without stored keys. */
  github?: GitHubSource
  /** The account's existing identity provider for GitHub, if any: an account can have only one. */
  githubProviderArn?: pulumi.Input<string>
  /** Bucket of Pulumi's state, which the role may read and write. Default `siltstone-state-{account}`. */
  stateBucket?: string
  tags?: Record<string, string>
}

const SESSION_SECONDS = 3_600

/**
 * The policies of deployers and the permissions boundary of functions (`policy/deploy.ts`). An administrator creates them
 * once per account, apart from the stacks, so that a deployer cannot change its own limits.
 *
 * Outputs: `s3_vector_management_policy_arn`, `application_management_policy_arn`, `s3_vector_service_policy_arn`,
 * `state_access_policy_arn`, `server_management_policy_arn`, `permissions_boundary_arn`, `deploy_role_arn`.
 * @throws InvalidArgument
 */
export class DeployPolicies extends pulumi.ComponentResource {
  readonly storageManagementPolicyArn: pulumi.Output<string>
  readonly applicationManagementPolicyArn: pulumi.Output<string>
  readonly serviceAccessPolicyArn: pulumi.Output<string>
  readonly stateAccessPolicyArn: pulumi.Output<string>
  readonly serverManagementPolicyArn: pulumi.Output<string> | undefined
  readonly permissionsBoundaryArn: pulumi.Output<string>
  readonly deployRoleArn: pulumi.Output<string> | undefined

  constructor(name: string, args: DeployPoliciesArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:DeployPolicies', name, {}, opts)
    if (args.stack !== undefined) checkStack(args.stack)
    if (args.project !== undefined) checkProject(args.project)
    if (args.stateBucket !== undefined) checkStateBucket(args.stateBucket, args.project)
    const scope = (id: string) => ({ account: id, stack: args.stack, project: args.project })
    const parent = { parent: this }
    const tags = { Project: 'Siltstone', ...args.tags }
    const { account } = whereabouts(parent)
    const managed = (id: string, policyName: string, description: string, make: (account: string) => PolicyDocument) =>
      new aws.iam.Policy(
        `${name}-${id}`,
        { name: policyName, description, policy: policyText(account.apply(make)), tags },
        parent,
      )
    const scoped = (id: string) => `${NAME_PREFIX}${args.stack === undefined ? '' : `${args.stack}-`}${id}`

    const boundary = managed('boundary', BOUNDARY_NAME, 'The most that a role of a Siltstone function may do', (id) =>
      runtimeBoundary(id, args.project),
    )
    const storage = managed(
      's3-vector-management',
      scoped('s3-vector-management'),
      'Creates and configures buckets of vectors; touches no object',
      (id) => storageManagementPolicy(scope(id)),
    )
    const application = managed(
      'application-management',
      scoped('application-management'),
      'Creates and configures queues, tables, functions and bounded roles',
      (id) => applicationManagementPolicy(scope(id)),
    )
    const access = managed(
      's3-vector-service-access',
      scoped('s3-vector-service-access'),
      'Reads and writes objects of buckets of vectors; manages nothing',
      (id) => serviceAccessPolicy(scope(id)),
    )
    const state = managed('state-access', scoped('state-access'), 'Reads and writes the state of Pulumi', (id) =>
      statePolicy(scope(id), args.stateBucket),
    )
    const servers =
      args.servers === true
        ? managed(
            'server-management',
            scoped('server-management'),
            'Creates and configures servers in containers; enters none',
            (id) => serverManagementPolicy(scope(id)),
          )
        : undefined
    this.serverManagementPolicyArn = servers?.arn
    this.permissionsBoundaryArn = boundary.arn
    this.stateAccessPolicyArn = state.arn
    this.storageManagementPolicyArn = storage.arn
    this.applicationManagementPolicyArn = application.arn
    this.serviceAccessPolicyArn = access.arn
    this.deployRoleArn =
      args.github &&
      deployRole(
        name,
        args.github,
        args,
        account,
        [storage, application, state, ...(servers === undefined ? [] : [servers])],
        tags,
        parent,
      )
    this.registerOutputs({
      s3_vector_management_policy_arn: this.storageManagementPolicyArn,
      application_management_policy_arn: this.applicationManagementPolicyArn,
      s3_vector_service_policy_arn: this.serviceAccessPolicyArn,
      state_access_policy_arn: this.stateAccessPolicyArn,
      server_management_policy_arn: this.serverManagementPolicyArn,
      permissions_boundary_arn: this.permissionsBoundaryArn,
      deploy_role_arn: this.deployRoleArn,
    })
  }
}

function deployRole(
  name: string,
  github: GitHubSource,
  args: DeployPoliciesArgs,
  account: pulumi.Output<string>,
  policies: aws.iam.Policy[],
  tags: Record<string, string>,
  parent: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const provider =
    args.githubProviderArn ??
    new aws.iam.OpenIdConnectProvider(
      `${name}-github`,
      { url: `https://${GITHUB_ISSUER}`, clientIdLists: ['sts.amazonaws.com'], tags },
      parent,
    ).arn
  const trust = pulumi.all([account, provider]).apply(([id]) => githubTrust(id, github))
  const role = new aws.iam.Role(
    `${name}-deploy`,
    {
      // A name that a deployer may not change.
      name: args.stack === undefined ? 'deploy-siltstone' : `deploy-siltstone-${args.stack}`,
      description: `Deploys Siltstone from ${github.repository}, environment ${github.environment}`,
      assumeRolePolicy: policyText(trust),
      maxSessionDuration: SESSION_SECONDS,
      tags,
    },
    parent,
  )
  policies.forEach((policy, at) => {
    new aws.iam.RolePolicyAttachment(`${name}-deploy-${at}`, { role: role.name, policyArn: policy.arn }, parent)
  })
  return role.arn
}

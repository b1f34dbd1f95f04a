/** Policies and role of deployers, and the permissions boundary of runtime roles. See docs/how-to/aws/README.md. */
import * as pulumi from '@pulumi/pulumi'
import { DeployPolicies, ServerRoles } from '@siltstone/infra'

const config = new pulumi.Config()
const optional = (key: string): string | undefined => config.get(key) || undefined
const repository = optional('githubRepository')
const repositoryId = optional('githubRepositoryId')
const githubProviderArn = optional('githubProviderArn')
const stateBucket = optional('stateBucket')

const project = optional('project')
const servers = config.getBoolean('servers') ?? false

const policies = new DeployPolicies('deploy', {
  ...(repository !== undefined && {
    github: {
      repository,
      environment: optional('githubEnvironment') ?? 'production',
      ...(repositoryId !== undefined && { repositoryId }),
    },
  }),
  ...(githubProviderArn !== undefined && { githubProviderArn }),
  ...(stateBucket !== undefined && { stateBucket }),
  ...(project !== undefined && { project }),
  servers,
})
const serverRoles = servers ? new ServerRoles('server') : undefined

export const s3_vector_management_policy_arn = policies.storageManagementPolicyArn
export const application_management_policy_arn = policies.applicationManagementPolicyArn
export const s3_vector_service_policy_arn = policies.serviceAccessPolicyArn
export const state_access_policy_arn = policies.stateAccessPolicyArn
export const server_management_policy_arn = policies.serverManagementPolicyArn
export const server_execution_role_arn = serverRoles?.executionRoleArn
export const server_infrastructure_role_arn = serverRoles?.infrastructureRoleArn
export const permissions_boundary_arn = policies.permissionsBoundaryArn
export const deploy_role_arn = policies.deployRoleArn

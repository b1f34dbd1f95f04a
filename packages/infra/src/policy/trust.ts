/** Who may assume a role. */
import { checkPattern } from '../errors.ts'
import { checkAccount } from '../names.ts'
import { policy, type PolicyDocument } from './document.ts'

export function lambdaTrust(): PolicyDocument {
  return policy({
    Sid: 'Lambda',
    Effect: 'Allow',
    Principal: { Service: 'lambda.amazonaws.com' },
    Action: ['sts:AssumeRole'],
  })
}

export function schedulerTrust(account: string): PolicyDocument {
  return policy({
    Sid: 'Scheduler',
    Effect: 'Allow',
    Principal: { Service: 'scheduler.amazonaws.com' },
    Action: ['sts:AssumeRole'],
    Condition: { StringEquals: { 'aws:SourceAccount': checkAccount(account) } },
  })
}

/** Of the process in a task of ECS, and of what starts it. */
export function tasksTrust(account: string): PolicyDocument {
  return policy({
    Sid: 'Tasks',
    Effect: 'Allow',
    Principal: { Service: 'ecs-tasks.amazonaws.com' },
    Action: ['sts:AssumeRole'],
    Condition: { StringEquals: { 'aws:SourceAccount': checkAccount(account) } },
  })
}

/** Of ECS itself, which makes load balancer, certificate and security groups. AWS documents no condition on the source. */
export function ecsTrust(): PolicyDocument {
  return policy({
    Sid: 'Ecs',
    Effect: 'Allow',
    Principal: { Service: 'ecs.amazonaws.com' },
    Action: ['sts:AssumeRole'],
  })
}

export const GITHUB_ISSUER = 'token.actions.githubusercontent.com'

export interface GitHubSource {
  /** `owner/name` */
  repository: string
  /** The workflow's `environment:`; its protection rules decide who may deploy. */
  environment: string
  /** The repository's number, which differs from that of a later repository with the same name. */
  repositoryId?: string
}

/** Exactly one environment of one repository: no wildcards, and StringEquals, so that an absent claim is refused. */
export function githubTrust(account: string, { repository, environment, repositoryId }: GitHubSource): PolicyDocument {
  checkAccount(account)
  checkPattern('repository', repository, /^[\w.-]+\/[\w.-]+$/, 'use owner/name')
  checkPattern('environment', environment, /^[\w.-]+$/, 'use the name of an environment of the repository')
  if (repositoryId !== undefined)
    checkPattern('repositoryId', repositoryId, /^\d+$/, 'use the number that GitHub shows')
  return policy({
    Sid: 'GitHubActions',
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${GITHUB_ISSUER}` },
    Action: ['sts:AssumeRoleWithWebIdentity'],
    Condition: {
      StringEquals: {
        [`${GITHUB_ISSUER}:aud`]: 'sts.amazonaws.com',
        [`${GITHUB_ISSUER}:sub`]: `repo:${repository}:environment:${environment}`,
        ...(repositoryId !== undefined && { [`${GITHUB_ISSUER}:repository_id`]: repositoryId }),
      },
    },
  })
}

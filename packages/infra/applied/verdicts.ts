/** The server's answer to each row of the permission table, with the role's own credentials. */
import { UpdateAssumeRolePolicyCommand, AttachRolePolicyCommand, CreateRoleCommand } from '@aws-sdk/client-iam'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { fill, type Names, type Row, type Subject } from '../src/testing/index.ts'
import { type Account, REGION } from './account.ts'
import { type Clients, clients } from './clients.ts'
import { REQUESTS } from './requests.ts'

/** Conditions that the server does not evaluate: it treats their keys as absent. */
export const UNKNOWN_KEYS: ReadonlySet<string> = new Set([
  's3:if-none-match',
  's3:if-match',
  's3:ObjectCreationOperation',
  'dynamodb:LeadingKeys',
  'iam:PermissionsBoundary',
  'iam:PassedToService',
])

/** Why one request to a server cannot check a row. */
export function notAsked({ action, context = {} }: Row): string | undefined {
  if (action === 'iam:PassRole') return 'no request of its own'
  if (action.startsWith('ecs:')) return 'the server takes the cluster for the resource of every request to ECS'
  if (action.startsWith('transcribe:')) return 'the server knows no jobs and no conditions of Transcribe'
  if (action === 'lambda:CreateFunction') return 'the server does not see which function it is about'
  const keys = context['dynamodb:LeadingKeys']
  if (Array.isArray(keys) && keys.length > 1) return 'no request for one item has two keys'
  return undefined
}

/** The server's verdict. */
export function withoutUnknownKeys(row: Row): Row {
  const { context, ...rest } = row
  if (context === undefined) return row
  return { ...rest, context: Object.fromEntries(Object.entries(context).filter(([key]) => !UNKNOWN_KEYS.has(key))) }
}

export type ServerVerdict = 'Allowed' | 'ImplicitlyDenied' | 'ExplicitlyDenied'

export function verdictOf(error: unknown): ServerVerdict {
  const {
    name = '',
    message = '',
    $metadata,
  } = error as {
    name?: string
    message?: string
    $metadata?: { httpStatusCode?: number }
  }
  // An error that is not an answer of the server decides nothing.
  if ($metadata?.httpStatusCode === undefined) throw error
  if (!/AccessDenied|Unauthorized|Forbidden/.test(name) && $metadata.httpStatusCode !== 403) return 'Allowed'
  return message.includes('explicit deny') ? 'ExplicitlyDenied' : 'ImplicitlyDenied'
}

interface Session {
  https: Clients
  plainHttp: Clients
}

export class Server {
  readonly #sessions = new Map<Subject, Session>()
  readonly #account: Account
  readonly #names: Names

  constructor(account: Account, names: Names) {
    this.#account = account
    this.#names = names
  }

  /** @throws any error that is not an answer of the server */
  async ask(row: Row): Promise<ServerVerdict> {
    const ask = REQUESTS[row.action]
    if (ask === undefined) throw new Error(`applied/requests.ts has no request for ${row.action}`)
    const session = await this.#session(row.subject)
    const context = Object.fromEntries(
      Object.entries(row.context ?? {}).map(([key, value]) => [
        key,
        typeof value === 'string' ? fill(value, this.#names) : value,
      ]),
    )
    const { endpoint } = this.#account.server
    try {
      await ask({
        clients: context['aws:SecureTransport'] === 'false' ? session.plainHttp : session.https,
        resource: fill(row.resource, this.#names),
        context,
        queueUrl: (arn) => `${endpoint}/${this.#names.account}/${arn.split(':').at(-1) ?? ''}`,
      })
    } catch (error) {
      return verdictOf(error)
    }
    return 'Allowed'
  }

  roleOf(subject: Subject): string {
    if (subject === 'deploy') return 'deploy-siltstone'
    return subject === 'service' ? 'another-service' : `siltstone-${this.#names.stack}-${subject}`
  }

  /** A function's role trusts only Lambda; for the test, the administrator adds itself. */
  async #session(subject: Subject): Promise<Session> {
    const known = this.#sessions.get(subject)
    if (known !== undefined) return known
    const { root, server, admin } = this.#account
    const RoleName = this.roleOf(subject)
    const trust = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${this.#names.account}:root` }, Action: 'sts:AssumeRole' },
      ],
    })
    if (subject === 'service') {
      await root.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }))
      const PolicyArn = String(admin.outputs['s3_vector_service_policy_arn'])
      await root.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
    } else {
      await root.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trust }))
    }
    const { Credentials: given } = await root.sts.send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${this.#names.account}:role/${RoleName}`,
        RoleSessionName: 'permissions',
      }),
    )
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken) throw new Error('no credentials')
    const credentials = {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
    }
    const session = {
      https: clients({ ...server, region: REGION, credentials }),
      plainHttp: clients({ ...server, region: REGION, credentials, plainHttp: true }),
    }
    this.#sessions.set(subject, session)
    return session
  }
}

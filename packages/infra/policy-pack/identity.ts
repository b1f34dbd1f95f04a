import { each, list, type Rule, statements } from './rule.ts'

/** Actions without a resource. */
const EVERYWHERE = new Set([
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  's3:ListAllMyBuckets',
  'lambda:GetEventSourceMapping',
  'logs:DescribeLogGroups',
  'cloudwatch:DescribeAlarms',
  'sts:GetCallerIdentity',
  'ssm:DescribeParameters',
  'ecs:DescribeTaskDefinition',
  'ecs:DeregisterTaskDefinition',
])

/** What an allowing statement grants too widely; undefined if nothing. */
function excess(policy: unknown): string | undefined {
  for (const { Sid = '', Effect, Action, Resource, Condition } of statements(policy)) {
    if (Effect !== 'Allow') continue
    const wide = list(Action).find((action) => action === '*' || action.endsWith(':*'))
    if (wide !== undefined) return `statement ${Sid} allows ${wide}`
    if (!list(Resource).includes('*') || Condition !== undefined) continue
    const blind = list(Action).find((action) => !EVERYWHERE.has(action))
    if (blind !== undefined) return `statement ${Sid} allows ${blind} on all resources`
  }
  return undefined
}

export const IDENTITY_RULES: readonly Rule[] = [
  {
    name: 'policies-name-what-they-allow',
    description: 'No policy allows a whole service, or an action on all resources',
    level: 'mandatory',
    check: (stack) => [
      ...each('iam.RolePolicy', ({ props }) => excess(props['policy']))(stack),
      ...each('iam.Policy', ({ props }) => excess(props['policy']))(stack),
    ],
  },
  {
    name: 'roles-name-who-assumes-them',
    description: 'A role trusts a service, or an identity provider under conditions, never all principals',
    level: 'mandatory',
    check: each('iam.Role', ({ props }) => {
      for (const { Effect, Principal, Condition } of statements(props['assumeRolePolicy'])) {
        if (Effect !== 'Allow') continue
        if (JSON.stringify(Principal).includes('"*"')) return 'any principal may assume it: name a service'
        if (JSON.stringify(Principal).includes('Federated') && Condition === undefined)
          return 'add a condition that names who may assume it'
      }
      return undefined
    }),
  },
  {
    name: 'roles-are-bounded',
    description: 'A role of a function has the permissions boundary of infra/bootstrap',
    level: 'advisory',
    check: each('iam.Role', ({ props }) =>
      props['permissionsBoundary'] === undefined && String(props['name']).startsWith('siltstone-')
        ? 'set permissionsBoundaryArn'
        : undefined,
    ),
  },
]

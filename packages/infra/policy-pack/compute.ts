import { at, each, type Rule } from './rule.ts'

const RUNTIMES = new Set(['nodejs22.x', 'nodejs24.x'])

export const COMPUTE_RULES: readonly Rule[] = [
  {
    name: 'function-is-current',
    description: 'A function runs on arm64 and on a supported runtime',
    level: 'mandatory',
    check: each('lambda.Function', ({ props }) => {
      if (at(props, 'architectures', 0) !== 'arm64') return 'use arm64: it costs a fifth less'
      // An image brings its own.
      if (props['packageType'] === 'Image') return undefined
      const runtime = String(props['runtime'])
      return RUNTIMES.has(runtime) ? undefined : `${runtime} is not supported`
    }),
  },
  {
    name: 'idle-costs-nothing',
    description: 'No network interfaces and no provisioned concurrency',
    level: 'mandatory',
    check: (stack) => [
      ...each('lambda.Function', ({ props }) =>
        props['vpcConfig'] === undefined && props['snapStart'] === undefined
          ? undefined
          : 'omit vpcConfig and snapStart',
      )(stack),
      ...each('lambda.ProvisionedConcurrencyConfig', () => 'omit it')(stack),
    ],
  },
  {
    name: 'logs-end',
    description: 'Every function has a log group with a retention',
    level: 'mandatory',
    check: each('lambda.Function', ({ props }, stack) => {
      const [group] = stack.where('cloudwatch.LogGroup', 'name', at(props, 'loggingConfig', 'logGroup'))
      if (group === undefined) return 'give it a log group'
      return Number(group.props['retentionInDays'] ?? 0) > 0 ? undefined : 'set retentionInDays of its log group'
    }),
  },
  {
    name: 'url-asks-who-calls',
    description: 'A URL is authorised by IAM, or its function checks tokens',
    level: 'mandatory',
    check: each('lambda.FunctionUrl', ({ props }, stack) => {
      if (props['authorizationType'] === 'AWS_IAM') return undefined
      const [made] = stack.where('lambda.Function', 'name', props['functionName'])
      const tokens = at(made?.props, 'environment', 'variables', 'SILTSTONE_TOKENS')
      return typeof tokens === 'string' && tokens !== '' ? undefined : 'set SILTSTONE_TOKENS or use AWS_IAM'
    }),
  },
]

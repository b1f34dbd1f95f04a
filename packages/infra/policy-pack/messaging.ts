import { at, type Declared, each, refusesPlainHttp, type Rule, type Stack, statements } from './rule.ts'

interface Redrive {
  deadLetterTargetArn: string
  maxReceiveCount: number
}

function redrive({ props }: Declared): Redrive | undefined {
  const text = props['redrivePolicy']
  return typeof text === 'string' && text !== '' ? (JSON.parse(text) as Redrive) : undefined
}

const isDeadLetterQueue = ({ props }: Declared, stack: Stack): boolean =>
  stack.all('sqs.Queue').some((each) => redrive(each)?.deadLetterTargetArn === props['arn'])

/** A throttled run of a function counts as a receive. */
const RECEIVES = 5

export const MESSAGING_RULES: readonly Rule[] = [
  {
    name: 'queue-has-dead-letters',
    description: 'A message that keeps failing becomes a dead letter, which is kept longer than messages',
    level: 'mandatory',
    check: each('sqs.Queue', (queue, stack) => {
      if (isDeadLetterQueue(queue, stack)) return undefined
      const policy = redrive(queue)
      if (policy === undefined) return 'give it a redrivePolicy'
      if (policy.maxReceiveCount < RECEIVES) return `set maxReceiveCount to ${RECEIVES} or more`
      const [dead] = stack.where('sqs.Queue', 'arn', policy.deadLetterTargetArn)
      const retention = (one: Declared) => Number(one.props['messageRetentionSeconds'])
      return dead !== undefined && retention(dead) <= retention(queue) ? 'keep dead letters longer' : undefined
    }),
  },
  {
    name: 'queue-is-encrypted-and-https-only',
    description: 'A queue is encrypted and refuses plain HTTP',
    level: 'mandatory',
    check: each('sqs.Queue', ({ props }, stack) => {
      if (props['sqsManagedSseEnabled'] !== true && props['kmsMasterKeyId'] === undefined) return 'encrypt it'
      return stack
        .where('sqs.QueuePolicy', 'queueUrl', props['url'])
        .some((one) => refusesPlainHttp(one.props['policy']))
        ? undefined
        : 'deny aws:SecureTransport false in its policy'
    }),
  },
  {
    name: 'queue-is-open-to-one-sender',
    description: 'A service may send to a queue only for one resource of one account',
    level: 'mandatory',
    check: each('sqs.QueuePolicy', ({ props }) => {
      const open = statements(props['policy']).find(({ Effect, Condition = {} }) => {
        const keys = Object.values(Condition).flatMap((operator) => Object.keys(operator))
        return Effect === 'Allow' && !(keys.includes('aws:SourceArn') && keys.includes('aws:SourceAccount'))
      })
      return open === undefined ? undefined : `statement ${open.Sid ?? ''} names no aws:SourceArn and aws:SourceAccount`
    }),
  },
  {
    name: 'function-outlived-by-its-messages',
    description: 'A function of a queue ends before its messages become visible again, and reports single failures',
    level: 'mandatory',
    check: each('lambda.EventSourceMapping', ({ props }, stack) => {
      if (!((props['functionResponseTypes'] ?? []) as string[]).includes('ReportBatchItemFailures')) {
        return 'set functionResponseTypes to ReportBatchItemFailures: otherwise one failure fails the batch'
      }
      const [queue] = stack.where('sqs.Queue', 'arn', props['eventSourceArn'])
      const [made] = stack.where('lambda.Function', 'name', props['functionName'])
      if (queue === undefined || made === undefined) return undefined
      const visible = Number(at(queue.props, 'visibilityTimeoutSeconds') ?? 30)
      return visible < Number(made.props['timeout'] ?? 3)
        ? `messages become visible again after ${visible} s`
        : undefined
    }),
  },
]

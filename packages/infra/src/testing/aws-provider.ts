/**
 * A provider that creates nothing: it answers with the ids, ARNs and URLs that AWS would assign to the inputs. The formats
 * follow AWS's documentation; the attributes are those that this repository's programs read.
 */
import type { Provider } from './engine.ts'
import type { Registered } from './resource.ts'

export interface Place {
  account: string
  region: string
}

type Made = { id: string; state: Record<string, unknown> }
type Maker = (inputs: Readonly<Record<string, unknown>>, place: Place, name: string) => Made

const text = (inputs: Readonly<Record<string, unknown>>, key: string): string => {
  const value = inputs[key]
  if (typeof value !== 'string') throw new Error(`${key} is ${JSON.stringify(value)}, not a text`)
  return value
}
const named = (inputs: Readonly<Record<string, unknown>>): string => text(inputs, 'name')
/** The id of a resource that configures a bucket is the bucket's name, of one that configures a queue its URL. */
const partOf =
  (key: string): Maker =>
  (inputs) => ({ id: text(inputs, key), state: {} })
const withArn =
  (service: string, resource: (name: string) => string, global = false): Maker =>
  (inputs, { account, region }) => {
    const arn = `arn:aws:${service}:${global ? '' : region}:${account}:${resource(named(inputs))}`
    return { id: named(inputs), state: { arn } }
  }

const MAKERS: Readonly<Record<string, Maker>> = {
  'aws:s3/bucket:Bucket': (inputs) => {
    const bucket = text(inputs, 'bucket')
    return { id: bucket, state: { bucket, arn: `arn:aws:s3:::${bucket}` } }
  },
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': partOf('bucket'),
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': partOf('bucket'),
  'aws:s3/bucketVersioning:BucketVersioning': partOf('bucket'),
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration': partOf('bucket'),
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': partOf('bucket'),
  'aws:s3/bucketCorsConfiguration:BucketCorsConfiguration': partOf('bucket'),
  'aws:s3/bucketPolicy:BucketPolicy': partOf('bucket'),
  'aws:s3/bucketNotification:BucketNotification': partOf('bucket'),
  'aws:s3/bucketObjectv2:BucketObjectv2': (inputs) => ({
    id: `${text(inputs, 'bucket')}/${text(inputs, 'key')}`,
    state: {},
  }),
  'aws:sqs/queue:Queue': (inputs, { account, region }) => {
    const url = `https://sqs.${region}.amazonaws.com/${account}/${named(inputs)}`
    return { id: url, state: { url, arn: `arn:aws:sqs:${region}:${account}:${named(inputs)}` } }
  },
  'aws:sqs/queuePolicy:QueuePolicy': partOf('queueUrl'),
  'aws:sqs/redriveAllowPolicy:RedriveAllowPolicy': partOf('queueUrl'),
  'aws:dynamodb/table:Table': withArn('dynamodb', (name) => `table/${name}`),
  'aws:iam/role:Role': withArn('iam', (name) => `role/${name}`, true),
  'aws:iam/policy:Policy': (inputs, { account }) => {
    const arn = `arn:aws:iam::${account}:policy/${named(inputs)}`
    return { id: arn, state: { arn } }
  },
  'aws:iam/rolePolicy:RolePolicy': (inputs) => ({ id: `${text(inputs, 'role')}:${named(inputs)}`, state: {} }),
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment': (inputs) => ({
    id: `${text(inputs, 'role')}/${text(inputs, 'policyArn')}`,
    state: {},
  }),
  'aws:iam/openIdConnectProvider:OpenIdConnectProvider': (inputs, { account }) => {
    const arn = `arn:aws:iam::${account}:oidc-provider/${text(inputs, 'url').replace('https://', '')}`
    return { id: arn, state: { arn } }
  },
  'aws:lambda/function:Function': withArn('lambda', (name) => `function:${name}`),
  'aws:lambda/layerVersion:LayerVersion': (inputs, { account, region }) => {
    const arn = `arn:aws:lambda:${region}:${account}:layer:${text(inputs, 'layerName')}:1`
    return { id: arn, state: { arn, version: '1' } }
  },
  'aws:lambda/functionUrl:FunctionUrl': (inputs, { region }) => {
    const name = text(inputs, 'functionName')
    return { id: name, state: { functionUrl: `https://${name}.lambda-url.${region}.on.aws/` } }
  },
  'aws:lambda/permission:Permission': partOf('statementId'),
  'aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig': partOf('functionName'),
  'aws:ecs/expressGatewayService:ExpressGatewayService': (inputs, { account, region }) => {
    const name = text(inputs, 'serviceName')
    const serviceArn = `arn:aws:ecs:${region}:${account}:service/default/${name}`
    const ingressPaths = [{ accessType: 'PUBLIC', endpoint: `https://${name}.ecs.${region}.on.aws` }]
    return { id: serviceArn, state: { serviceArn, ingressPaths } }
  },
  'aws:ecs/cluster:Cluster': withArn('ecs', (name) => `cluster/${name}`),
  'aws:ecs/taskDefinition:TaskDefinition': (inputs, { account, region }) => {
    const family = text(inputs, 'family')
    return { id: family, state: { arn: `arn:aws:ecs:${region}:${account}:task-definition/${family}:1` } }
  },
  'aws:lambda/eventSourceMapping:EventSourceMapping': (_, __, name) => ({ id: name, state: { uuid: name } }),
  'aws:cloudwatch/logGroup:LogGroup': withArn('logs', (name) => `log-group:${name}`),
  'aws:cloudwatch/metricAlarm:MetricAlarm': withArn('cloudwatch', (name) => `alarm:${name}`),
  'aws:cloudwatch/dashboard:Dashboard': partOf('dashboardName'),
  'aws:ssm/parameter:Parameter': withArn('ssm', (name) => `parameter${name}`),
  'aws:scheduler/schedule:Schedule': (inputs, { account, region }) => ({
    id: `default/${named(inputs)}`,
    state: { arn: `arn:aws:scheduler:${region}:${account}:schedule/default/${named(inputs)}`, groupName: 'default' },
  }),
  'aws:sns/topic:Topic': (inputs, { account, region }) => {
    const arn = `arn:aws:sns:${region}:${account}:${named(inputs)}`
    return { id: arn, state: { arn } }
  },
  'aws:sns/topicPolicy:TopicPolicy': partOf('arn'),
  'aws:sns/topicSubscription:TopicSubscription': (inputs) => ({
    id: `${text(inputs, 'topic')}:${text(inputs, 'endpoint')}`,
    state: {},
  }),
}

/** @throws Error for a type or data source that it does not know: add it, with AWS's format */
export function awsProvider(place: Place): Provider {
  return {
    async create(resource: Registered) {
      const maker = MAKERS[resource.type]
      if (maker === undefined) throw new Error(`there is no maker of ${resource.type} in testing/aws-provider.ts`)
      return maker(resource.inputs, place, resource.name)
    },
    async invoke(token) {
      const { account, region } = place
      if (token === 'aws:index/getCallerIdentity:getCallerIdentity') {
        return { id: account, accountId: account, arn: `arn:aws:iam::${account}:user/test`, userId: 'AIDATEST' }
      }
      if (token === 'aws:index/getRegion:getRegion') return { id: region, region, name: region }
      throw new Error(`there is no answer to ${token} in testing/aws-provider.ts`)
    },
  }
}

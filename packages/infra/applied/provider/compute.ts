import { CreateLogGroupCommand, PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  AddPermissionCommand,
  type Architecture,
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  type FunctionResponseType,
  type FunctionUrlAuthType,
  type InvokeMode,
  type LoggingConfig,
  PublishLayerVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  type Runtime,
} from '@aws-sdk/client-lambda'
import {
  type Compatibility,
  type ContainerDefinition,
  CreateClusterCommand,
  type NetworkMode,
  RegisterTaskDefinitionCommand,
  type RuntimePlatform,
} from '@aws-sdk/client-ecs'
import { CreateScheduleCommand, type FlexibleTimeWindow, type Target } from '@aws-sdk/client-scheduler'
import { answered, type Inputs, type Maker, optionalText, pascal, tagMap, text } from './inputs.ts'
import { BUILT } from '../built.ts'
import { zipFolder, zipFolders } from './zip.ts'

/**
 * Without Docker the server runs no images. A function from one gets what the image has beside ffmpeg, as a zip: the same bundle, whose
 * entry point then is the handler instead of the client of the runtime API.
 */
async function codeOf(inputs: Inputs): Promise<{ Runtime: Runtime; Handler: string; Code: { ZipFile: Uint8Array } }> {
  if (inputs['packageType'] === 'Image') {
    text(inputs, 'imageUri')
    const ZipFile = await zipFolders({ '': `${BUILT}/media`, node_modules: `${BUILT}/layer/nodejs/node_modules` })
    return { Runtime: 'nodejs24.x', Handler: 'index.handler', Code: { ZipFile } }
  }
  const { archive } = inputs['code'] as { archive: string }
  const Runtime = text(inputs, 'runtime') as Runtime
  return { Runtime, Handler: text(inputs, 'handler'), Code: { ZipFile: await zipFolder(archive) } }
}

export const COMPUTE: Readonly<Record<string, Maker>> = {
  'aws:cloudwatch/logGroup:LogGroup': async (inputs, { logs }) => {
    const logGroupName = text(inputs, 'name')
    await logs.send(new CreateLogGroupCommand({ logGroupName, tags: tagMap(inputs) }))
    const retentionInDays = Number(inputs['retentionInDays'])
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }))
    return { id: logGroupName, state: {} }
  },
  'aws:lambda/function:Function': async (inputs, { lambda }) => {
    const FunctionName = text(inputs, 'name')
    const variables = (inputs['environment'] as { variables: Record<string, string> }).variables
    const made = await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Description: optionalText(inputs, 'description'),
        Role: text(inputs, 'role'),
        Architectures: inputs['architectures'] as Architecture[],
        ...(await codeOf(inputs)),
        MemorySize: Number(inputs['memorySize']),
        Timeout: Number(inputs['timeout']),
        EphemeralStorage: pascal(inputs['ephemeralStorage']),
        LoggingConfig: pascal<LoggingConfig>(inputs['loggingConfig']),
        TracingConfig: pascal(inputs['tracingConfig']),
        Environment: { Variables: variables },
        ...(inputs['layers'] !== undefined && { Layers: inputs['layers'] as string[] }),
        Tags: tagMap(inputs),
      }),
    )
    return { id: FunctionName, state: { arn: answered(made.FunctionArn, 'FunctionArn') } }
  },
  'aws:lambda/layerVersion:LayerVersion': async (inputs, { lambda }) => {
    const { archive } = inputs['code'] as { archive: string }
    const made = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: text(inputs, 'layerName'),
        Description: optionalText(inputs, 'description'),
        Content: { ZipFile: await zipFolder(archive) },
        CompatibleRuntimes: inputs['compatibleRuntimes'] as Runtime[],
      }),
    )
    const arn = answered(made.LayerVersionArn, 'LayerVersionArn')
    return { id: arn, state: { arn, version: String(made.Version) } }
  },
  'aws:lambda/functionUrl:FunctionUrl': async (inputs, { lambda }) => {
    const made = await lambda.send(
      new CreateFunctionUrlConfigCommand({
        FunctionName: text(inputs, 'functionName'),
        AuthType: text(inputs, 'authorizationType') as FunctionUrlAuthType,
        InvokeMode: text(inputs, 'invokeMode') as InvokeMode,
      }),
    )
    return { id: text(inputs, 'functionName'), state: { functionUrl: answered(made.FunctionUrl, 'FunctionUrl') } }
  },
  'aws:lambda/permission:Permission': async (inputs, { lambda }) => {
    const StatementId = text(inputs, 'statementId')
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: text(inputs, 'function'),
        StatementId,
        Action: text(inputs, 'action'),
        Principal: text(inputs, 'principal'),
        FunctionUrlAuthType: optionalText(inputs, 'functionUrlAuthType') as FunctionUrlAuthType | undefined,
        ...(inputs['invokedViaFunctionUrl'] === true && { InvokedViaFunctionUrl: true }),
      }),
    )
    return { id: StatementId, state: {} }
  },
  'aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig': async (inputs, { lambda }) => {
    const FunctionName = text(inputs, 'functionName')
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName,
        MaximumRetryAttempts: Number(inputs['maximumRetryAttempts']),
        MaximumEventAgeInSeconds: Number(inputs['maximumEventAgeInSeconds']),
      }),
    )
    return { id: FunctionName, state: {} }
  },
  'aws:lambda/eventSourceMapping:EventSourceMapping': async (inputs, { lambda }) => {
    const made = await lambda.send(
      new CreateEventSourceMappingCommand({
        EventSourceArn: text(inputs, 'eventSourceArn'),
        FunctionName: text(inputs, 'functionName'),
        BatchSize: Number(inputs['batchSize']),
        MaximumBatchingWindowInSeconds: Number(inputs['maximumBatchingWindowInSeconds']),
        FunctionResponseTypes: inputs['functionResponseTypes'] as FunctionResponseType[],
        ScalingConfig: pascal(inputs['scalingConfig']),
      }),
    )
    const uuid = answered(made.UUID, 'UUID')
    return { id: uuid, state: { uuid } }
  },
  'aws:ecs/cluster:Cluster': async (inputs, { ecs }) => {
    const { cluster } = await ecs.send(new CreateClusterCommand({ clusterName: text(inputs, 'name') }))
    const arn = answered(cluster?.clusterArn, 'clusterArn')
    return { id: arn, state: { arn } }
  },
  'aws:ecs/taskDefinition:TaskDefinition': async (inputs, { ecs }) => {
    const { taskDefinition } = await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: text(inputs, 'family'),
        requiresCompatibilities: inputs['requiresCompatibilities'] as Compatibility[],
        networkMode: text(inputs, 'networkMode') as NetworkMode,
        runtimePlatform: inputs['runtimePlatform'] as RuntimePlatform,
        cpu: text(inputs, 'cpu'),
        memory: text(inputs, 'memory'),
        ephemeralStorage: { sizeInGiB: (inputs['ephemeralStorage'] as { sizeInGib: number }).sizeInGib },
        executionRoleArn: text(inputs, 'executionRoleArn'),
        taskRoleArn: text(inputs, 'taskRoleArn'),
        containerDefinitions: JSON.parse(text(inputs, 'containerDefinitions')) as ContainerDefinition[],
      }),
    )
    const arn = answered(taskDefinition?.taskDefinitionArn, 'taskDefinitionArn')
    return { id: text(inputs, 'family'), state: { arn } }
  },
  'aws:scheduler/schedule:Schedule': async (inputs, { scheduler }) => {
    const Name = text(inputs, 'name')
    const made = await scheduler.send(
      new CreateScheduleCommand({
        Name,
        Description: optionalText(inputs, 'description'),
        ScheduleExpression: text(inputs, 'scheduleExpression'),
        FlexibleTimeWindow: pascal<FlexibleTimeWindow>(inputs['flexibleTimeWindow']),
        Target: pascal<Target>(inputs['target']),
      }),
    )
    return { id: `default/${Name}`, state: { arn: answered(made.ScheduleArn, 'ScheduleArn'), groupName: 'default' } }
  },
}

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
import { CreateScheduleCommand, type FlexibleTimeWindow, type Target } from '@aws-sdk/client-scheduler'
import { answered, type Maker, optionalText, pascal, tagMap, text } from './inputs.ts'
import { zipFolder } from './zip.ts'

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
    const { archive } = inputs['code'] as { archive: string }
    const variables = (inputs['environment'] as { variables: Record<string, string> }).variables
    const made = await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Description: optionalText(inputs, 'description'),
        Role: text(inputs, 'role'),
        Runtime: text(inputs, 'runtime') as Runtime,
        Architectures: inputs['architectures'] as Architecture[],
        Handler: text(inputs, 'handler'),
        Code: { ZipFile: await zipFolder(archive) },
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

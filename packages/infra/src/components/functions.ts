import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkInteger, checkOneOf, InvalidArgument } from '../errors.ts'
import { checkEmbedder, EMBEDDING, type EmbedderChoice, embedderVariable } from '../embedder.ts'
import { FUNCTIONS, type FunctionName, stackNames } from '../names.ts'
import { callerPolicy } from '../policy/roles.ts'
import { common, policyText } from './common.ts'
import { type FunctionSettings, functionSettings } from './function-settings.ts'
import { checkLambda, createFunction, type LambdaArgs, neverRepeat } from './lambda-function.ts'
import { permitAnybody } from './open-url.ts'
import type { FunctionRole } from './roles.ts'

export type UrlAuthorization = 'AWS_IAM' | 'TOKENS'

/** Functions that answer Chroma's HTTP API. */
const WITH_URL: readonly FunctionName[] = ['query', 'api']
/** A queue's messages wait this long for others, so that many wake-up calls make one run. */
const BATCH_WINDOW_SECONDS = 5

export interface FunctionsArgs extends LambdaArgs {
  roles: Partial<Record<FunctionName, FunctionRole>>
  bucketName: pulumi.Input<string>
  queueUrl: pulumi.Input<string>
  queueArn: pulumi.Input<string>
  lockTableName: pulumi.Input<string>
  /** Default all. */
  only?: readonly FunctionName[]
  settings?: Partial<Record<FunctionName, Partial<FunctionSettings>>>
  /** Additional environment variables. */
  variables?: Partial<Record<FunctionName, Record<string, pulumi.Input<string>>>>
  /**
   * Folder with the default embedder's model, a layer for the functions that embed texts. Without it they need records
   * with vectors, or an embedding service.
   */
  modelDirectory?: string
  layers?: Partial<Record<FunctionName, pulumi.Input<string>[]>>
  /** Who may call the URLs: holders of IAM permissions (default; see `callerPolicies`), or of a token in `tokens`. */
  urlAuthorization?: UrlAuthorization
  /**
   * JSON of the server's tokens. Required with, and only with, `urlAuthorization: 'TOKENS'`. It is kept in Systems Manager,
   * not in the functions' environment.
   */
  tokens?: pulumi.Input<string>
  /** What embeds texts of collections that name no embedding function. Default English. */
  embedder?: EmbedderChoice
  /** Required with, and only with, the embedder `openai`; kept as the tokens are. */
  openaiApiKey?: pulumi.Input<string>
  /** Executions of query and of api at the same time, each: more are answered 429. Default: the account's. */
  urlConcurrency?: number
  /** Messages per run of the compactor. They are only wake-up calls: many cost no more than one. Default 1,000. */
  batchSize?: number
  /** Runs of the compactor that the queue may start at the same time, one collection each. 2 to 1,000, default 2. */
  maxConcurrentCompactions?: number
  /** Visibility timeout of the queue; the compactor must end before it. Default 5,410. */
  visibilityTimeoutSeconds?: number
}

/**
 * The Lambda functions, their log groups, the queue's mapping to the compactor, and URLs of query and api. No network
 * interfaces and no provisioned or reserved concurrency: idle functions cost nothing.
 *
 * Outputs: `<function>_function_name`, `<function>_function_arn`, `query_url`, `api_url`, `query_caller_policy`,
 * `api_caller_policy`.
 * @throws InvalidArgument
 */
export class Functions extends pulumi.ComponentResource {
  readonly functions: Partial<Record<FunctionName, aws.lambda.Function>> = {}
  readonly urls: Partial<Record<FunctionName, pulumi.Output<string>>> = {}
  /** The layer with the default embedder's model, for other functions. */
  readonly modelLayerArn: pulumi.Output<string> | undefined
  /** Policy documents for callers of a URL with IAM. */
  readonly callerPolicies: Partial<Record<FunctionName, pulumi.Output<string>>> = {}

  constructor(name: string, args: FunctionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('siltstone:aws:Functions', name, {}, opts)
    const chosen = args.only ?? FUNCTIONS
    const authorization = checkOneOf('urlAuthorization', args.urlAuthorization ?? 'AWS_IAM', ['AWS_IAM', 'TOKENS'])
    checkArgs(args, chosen, authorization)
    const model = chosen.some((each) => EMBEDDING.includes(each)) ? modelLayer(name, args, this) : undefined
    this.modelLayerArn = model
    const secrets = createSecrets(name, args, this)
    for (const each of chosen) this.#create(name, each, args, { authorization, model, secrets })
    const { compactor } = this.functions
    if (compactor !== undefined) {
      mapQueue(name, compactor, args, this)
      neverRepeat(name, compactor.name, this)
    }
    this.registerOutputs(this.#outputs())
  }

  #create(name: string, each: FunctionName, args: FunctionsArgs, { authorization, model, secrets }: Shared): void {
    const names = stackNames(common(args).stack)
    const role = args.roles[each]
    if (role === undefined) throw new InvalidArgument(`roles.${each}`, undefined, 'the function needs a role')
    const layers = [...(args.layers?.[each] ?? []), ...(model && EMBEDDING.includes(each) ? [model] : [])]
    const withUrl = WITH_URL.includes(each)
    const made = createFunction(
      args,
      {
        id: `${name}-${each}`,
        logsId: `${name}-${each}-logs`,
        functionName: names.functions[each],
        logGroupName: names.logGroups[each],
        description: DESCRIPTIONS[each],
        code: { directory: join(args.codeDirectory, each) },
        settings: functionSettings(each, args.settings?.[each]),
        roleArn: role.arn,
        policy: role.policy,
        layers,
        concurrency:
          withUrl && args.urlConcurrency !== undefined
            ? checkInteger('urlConcurrency', args.urlConcurrency, 1, 10_000)
            : undefined,
        variables: {
          SILTSTONE_DATA: pulumi.interpolate`s3://${args.bucketName}`,
          SILTSTONE_QUEUE_URL: args.queueUrl,
          SILTSTONE_LOCK_TABLE: args.lockTableName,
          ...(withUrl && secrets.tokens && { SILTSTONE_TOKENS_PARAMETER: secrets.tokens.name }),
          ...(EMBEDDING.includes(each) && embedderVariables(args, secrets)),
          ...args.variables?.[each],
        },
      },
      this,
    )
    this.functions[each] = made
    if (withUrl) this.#expose(name, each, made, authorization)
  }

  #expose(name: string, each: FunctionName, made: aws.lambda.Function, authorization: UrlAuthorization): void {
    const parent = { parent: this }
    const authorizationType = authorization === 'AWS_IAM' ? 'AWS_IAM' : 'NONE'
    const url = new aws.lambda.FunctionUrl(
      `${name}-${each}-url`,
      { functionName: made.name, authorizationType, invokeMode: 'BUFFERED' },
      parent,
    )
    this.urls[each] = url.functionUrl
    if (authorization === 'AWS_IAM') {
      this.callerPolicies[each] = policyText(made.arn.apply(callerPolicy))
      return
    }
    permitAnybody(`${name}-${each}`, made.name, this)
  }

  #outputs(): Record<string, pulumi.Output<unknown>> {
    const outputs: Record<string, pulumi.Output<unknown>> = {}
    for (const [each, made] of Object.entries(this.functions)) {
      outputs[`${each}_function_name`] = made.name
      outputs[`${each}_function_arn`] = made.arn
    }
    for (const [each, url] of Object.entries(this.urls)) outputs[`${each}_url`] = url
    for (const [each, policy] of Object.entries(this.callerPolicies)) outputs[`${each}_caller_policy`] = policy
    return outputs
  }
}

interface Secrets {
  tokens?: aws.ssm.Parameter
  openaiApiKey?: aws.ssm.Parameter
}

interface Shared {
  authorization: UrlAuthorization
  model: pulumi.Output<string> | undefined
  secrets: Secrets
}

function createSecrets(name: string, args: FunctionsArgs, parent: pulumi.Resource): Secrets {
  const { stack, tags } = common(args)
  const { parameters } = stackNames(stack)
  const made = (id: string, parameterName: string, value: pulumi.Input<string>) =>
    new aws.ssm.Parameter(
      `${name}-${id}`,
      { name: parameterName, type: 'SecureString', value: pulumi.secret(value), tags },
      { parent },
    )
  return {
    ...(args.tokens !== undefined && { tokens: made('tokens', parameters.tokens, args.tokens) }),
    ...(args.openaiApiKey !== undefined && {
      openaiApiKey: made('openai-api-key', parameters.openaiApiKey, args.openaiApiKey),
    }),
  }
}

function embedderVariables({ embedder }: FunctionsArgs, { openaiApiKey }: Secrets) {
  const variable = embedderVariable(embedder)
  return {
    ...(variable !== undefined && { SILTSTONE_EMBEDDER: variable }),
    ...(openaiApiKey && { OPENAI_API_KEY_PARAMETER: openaiApiKey.name }),
  }
}

const DESCRIPTIONS: Readonly<Record<FunctionName, string>> = {
  producer: 'Siltstone: texts or vectors into a delta',
  compactor: 'Siltstone: folds deltas into snapshots',
  query: 'Siltstone: Chroma API, reads only',
  api: 'Siltstone: Chroma API',
}

function checkArgs(args: FunctionsArgs, chosen: readonly FunctionName[], authorization: UrlAuthorization): void {
  checkEmbedder(args.embedder, args.openaiApiKey !== undefined)
  if ((authorization === 'TOKENS') !== (args.tokens !== undefined)) {
    throw new InvalidArgument(
      'urlAuthorization',
      authorization,
      authorization === 'TOKENS'
        ? 'set tokens: without them everybody could read and write'
        : "tokens are only looked at with 'TOKENS'",
    )
  }
  for (const each of chosen) checkLambda(args, each)
}

function modelLayer(
  name: string,
  { modelDirectory, ...args }: FunctionsArgs,
  parent: pulumi.Resource,
): pulumi.Output<string> | undefined {
  if (modelDirectory === undefined) return undefined
  if (!existsSync(modelDirectory)) {
    throw new InvalidArgument('modelDirectory', modelDirectory, 'there is no such folder: build the functions first')
  }
  return new aws.lambda.LayerVersion(
    `${name}-model`,
    {
      layerName: stackNames(common(args).stack).modelLayer,
      description: 'Siltstone: the default embedder',
      code: new pulumi.asset.FileArchive(modelDirectory),
      compatibleRuntimes: ['nodejs24.x'],
    },
    { parent },
  ).arn
}

function mapQueue(name: string, compactor: aws.lambda.Function, args: FunctionsArgs, parent: pulumi.Resource): void {
  const { timeoutSeconds } = functionSettings('compactor', args.settings?.compactor)
  const visibility = args.visibilityTimeoutSeconds ?? 5_410
  if (timeoutSeconds > visibility) {
    throw new InvalidArgument(
      'compactor.timeoutSeconds',
      timeoutSeconds,
      `messages become visible again after ${visibility} s: raise the queue's visibilityTimeoutSeconds`,
    )
  }
  new aws.lambda.EventSourceMapping(
    `${name}-wake-up`,
    {
      eventSourceArn: args.queueArn,
      functionName: compactor.name,
      batchSize: checkInteger('batchSize', args.batchSize ?? 1_000, 1, 10_000),
      maximumBatchingWindowInSeconds: BATCH_WINDOW_SECONDS,
      functionResponseTypes: ['ReportBatchItemFailures'],
      // Not reserved concurrency: it throttles, and each throttled attempt counts as a receive of the message.
      scalingConfig: {
        maximumConcurrency: checkInteger('maxConcurrentCompactions', args.maxConcurrentCompactions ?? 2, 2, 1_000),
      },
    },
    { parent },
  )
}

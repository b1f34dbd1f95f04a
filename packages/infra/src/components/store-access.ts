/** What functions that are components of their own are told of the store, and which secrets of its embedder they read. */
import * as pulumi from '@pulumi/pulumi'
import { checkEmbedder, type EmbedderChoice, embedderVariable } from '../embedder.ts'
import { stackNames } from '../names.ts'
import { common, type CommonArgs } from './common.ts'

export interface StoreAccessArgs extends CommonArgs {
  bucket: { bucketName: pulumi.Input<string> }
  /** Wake-up calls for the compactor. */
  deltaQueue: { queueUrl: pulumi.Input<string> }
  lockTable: { tableName: pulumi.Input<string> }
  /** As the functions'; with `openai`, the key that they keep is read. */
  embedder?: EmbedderChoice
}

const needsKey = ({ embedder }: StoreAccessArgs): boolean => embedder?.provider === 'openai'

/** @throws InvalidArgument */
export function checkStoreAccess(args: StoreAccessArgs): void {
  checkEmbedder(args.embedder, needsKey(args))
}

export function storeVariables(args: StoreAccessArgs): Record<string, pulumi.Input<string>> {
  const { parameters } = stackNames(common(args).stack)
  const embedder = embedderVariable(args.embedder)
  return {
    SILTSTONE_DATA: pulumi.interpolate`s3://${args.bucket.bucketName}`,
    SILTSTONE_QUEUE_URL: args.deltaQueue.queueUrl,
    SILTSTONE_LOCK_TABLE: args.lockTable.tableName,
    ...(embedder !== undefined && { SILTSTONE_EMBEDDER: embedder }),
    ...(needsKey(args) && { OPENAI_API_KEY_PARAMETER: parameters.openaiApiKey }),
  }
}

/** Names of parameters in Systems Manager. */
export function storeParameters(args: StoreAccessArgs): string[] {
  return needsKey(args) ? [stackNames(common(args).stack).parameters.openaiApiKey] : []
}

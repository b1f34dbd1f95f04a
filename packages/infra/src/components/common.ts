/** Arguments and helpers that all components share. */
import * as aws from '@pulumi/aws'
import * as pulumi from '@pulumi/pulumi'
import { checkEnvironment, checkStack, type Environment } from '../names.ts'
import type { PolicyDocument } from '../policy/document.ts'

export interface CommonArgs {
  /** Default `prod`: data is protected, and a bucket that holds objects cannot be destroyed. */
  environment?: Environment
  /** Part of every name. Default: the Pulumi stack. */
  stack?: string
  /** In addition to `Project`, `Environment` and `Stack`. */
  tags?: Record<string, string>
}

export interface Common {
  environment: Environment
  stack: string
  tags: Record<string, string>
}

/** @throws InvalidArgument */
export function common(args: CommonArgs): Common {
  const stack = checkStack(args.stack ?? pulumi.getStack())
  const environment = checkEnvironment(args.environment ?? 'prod')
  return { environment, stack, tags: { Project: 'Siltstone', Environment: environment, Stack: stack, ...args.tags } }
}

/** The account and region that the provider deploys to. */
export function whereabouts(opts: pulumi.InvokeOptions): {
  account: pulumi.Output<string>
  region: pulumi.Output<string>
} {
  return {
    account: aws.getCallerIdentityOutput({}, opts).accountId,
    region: aws.getRegionOutput({}, opts).region,
  }
}

/** The policy as text, once every value in it is known. */
export function policyText(document: pulumi.Input<PolicyDocument>): pulumi.Output<string> {
  return pulumi.jsonStringify(document)
}

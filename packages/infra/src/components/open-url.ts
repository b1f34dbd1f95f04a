import * as aws from '@pulumi/aws'
import type * as pulumi from '@pulumi/pulumi'

/**
 * Lets anybody call the URL of a function, but not the function by other ways: it checks tokens itself. Lambda requires both
 * permissions.
 */
export function permitAnybody(name: string, functionName: pulumi.Input<string>, parent: pulumi.Resource): void {
  new aws.lambda.Permission(
    `${name}-anybody`,
    {
      action: 'lambda:InvokeFunctionUrl',
      function: functionName,
      principal: '*',
      functionUrlAuthType: 'NONE',
      statementId: 'AnybodyMayCallTheUrl',
    },
    { parent },
  )
  new aws.lambda.Permission(
    `${name}-through-url`,
    {
      action: 'lambda:InvokeFunction',
      function: functionName,
      principal: '*',
      invokedViaFunctionUrl: true,
      statementId: 'OnlyThroughTheUrl',
    },
    { parent },
  )
}

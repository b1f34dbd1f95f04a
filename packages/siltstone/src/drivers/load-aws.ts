import { unsupported } from '../errors.ts'
import { moduleBeside } from '../host/module-beside.ts'
import type * as Aws from './aws/index.ts'

/** What `siltstone/aws` imports, and what a user on AWS therefore installs. */
const AWS_PACKAGES = [
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/client-s3',
  '@aws-sdk/client-sqs',
  '@aws-sdk/s3-request-presigner',
  '@smithy/signature-v4',
] as const

const INSTALL = `npm install ${AWS_PACKAGES.join(' ')}`

/**
 * The drivers for AWS. They import the AWS SDK, which is installed only where a store is in a bucket; so they are loaded
 * when they are first needed, by an import that bundlers do not follow.
 *
 * @throws SiltstoneError `unsupported` (aws-sdk-missing) when a package of the SDK is not installed,
 *   (aws-not-bundled) from a bundle without `siltstone/aws`
 */
export async function loadAws(): Promise<typeof Aws> {
  const url = moduleBeside('./aws/index', import.meta.url)
  if (url === null)
    throw unsupported(
      'aws-not-bundled',
      "This program is a bundle without the drivers for AWS: add `import 'siltstone/aws'` to it and bundle it again.",
    )
  try {
    return (await import(/* @vite-ignore */ url.href)) as typeof Aws
  } catch (cause) {
    throw sdkMissing(cause) ?? cause
  }
}

/** Node, Bun and Deno word it differently, but each names the package in quotes. */
function sdkMissing(cause: unknown): Error | undefined {
  // What Bun throws is not an instance of Error.
  const { message = '' } = cause as { message?: string }
  const missing = AWS_PACKAGES.find((name) => message.includes(`'${name}'`) || message.includes(`"${name}"`))
  if (missing === undefined) return undefined
  return unsupported(
    'aws-sdk-missing',
    `A store in a bucket needs the AWS SDK, and ${missing} is not installed. Install it with \`${INSTALL}\`.`,
    { cause },
  )
}

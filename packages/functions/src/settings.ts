/**
 * Settings of the functions that are not places: the default embedder, secrets, the time of leases.
 *
 * Secrets do not stand in the function's environment, which everybody who may look at the function can read. The
 * environment names parameters of Systems Manager (SecureString), and they are read once per container.
 */
import { type CompactLimits, type EmbedderRegistryOptions, invalid, parseEmbedderConfig } from 'siltstone/internal'

export type Variables = Readonly<Record<string, string | undefined>>

/** By the variable that names a parameter: the variable that its value stands for. */
const SECRETS = {
  SILTSTONE_TOKENS_PARAMETER: 'SILTSTONE_TOKENS',
  OPENAI_API_KEY_PARAMETER: 'OPENAI_API_KEY',
  REGISTRY_ADMIN_PASSWORD_PARAMETER: 'REGISTRY_ADMIN_PASSWORD',
  HF_TOKEN_PARAMETER: 'HF_TOKEN',
  GITHUB_TOKEN_PARAMETER: 'GITHUB_TOKEN',
} as const

export type ReadParameter = (name: string) => Promise<string | undefined>

/**
 * The variables, with the values of the parameters that they name.
 * @throws SiltstoneError `invalid` (parameter-empty), and what the service answers
 */
export async function withSecrets(variables: Variables, read: ReadParameter = fromSsm): Promise<Variables> {
  const values: Record<string, string | undefined> = { ...variables }
  for (const [named, name] of Object.entries(SECRETS)) {
    const parameter = variables[named]
    if (parameter === undefined || parameter === '') continue
    const value = await read(parameter)
    if (value === undefined || value === '')
      throw invalid('parameter-empty', `the parameter ${parameter} is empty; put a value into it`, { field: named })
    values[name] = value
  }
  return values
}

/**
 * `USE_S3=1` with `S3_BUCKET_NAME`, as a server of the registry takes them (docs/how-to/registry.md). A function has no other place to
 * keep anything in, so there is no fallback.
 * @throws SiltstoneError `invalid` (bad-switch, no-store)
 */
export function placeFromSwitches(variables: Variables): string | undefined {
  const isOn = (name: string): boolean => {
    const text = variables[name] ?? ''
    if (/^(?:1|true|yes|on)$/i.test(text)) return true
    if (/^(?:0|false|no|off|)$/i.test(text)) return false
    throw invalid('bad-switch', `${name} is "${text.slice(0, 50)}": give 1 or 0`, { field: name })
  }
  if (isOn('USE_S3')) {
    const bucket = variables['S3_BUCKET_NAME'] ?? ''
    if (bucket !== '') return `s3://${bucket}`
    throw invalid('no-store', 'USE_S3 is on: set S3_BUCKET_NAME to the bucket', { field: 'S3_BUCKET_NAME' })
  }
  if (!isOn('USE_SQLITE')) return undefined
  const text =
    'USE_SQLITE is on: a function loses its files when its container ends, so set USE_S3=1 and S3_BUCKET_NAME'
  throw invalid('no-store', text, { field: 'USE_SQLITE' })
}

async function fromSsm(name: string): Promise<string | undefined> {
  // oxlint-disable-next-line no-restricted-imports -- the functions are the host: no driver reads their secrets
  const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm')
  const client = new SSMClient({})
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }))
    return Parameter?.Value
  } finally {
    client.destroy()
  }
}

/**
 * From `SILTSTONE_EMBEDDER`, JSON as in the file of `siltstone serve --embedders`: `{"provider":"openai"}`. Without it,
 * `OPENAI_API_KEY` alone changes nothing: texts are embedded in English, offline.
 * @throws SiltstoneError `invalid` (embedder-config)
 */
export function embeddersOf({ SILTSTONE_EMBEDDER: text }: Variables): EmbedderRegistryOptions {
  if (text === undefined || text === '') return {}
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch (cause) {
    throw invalid('embedder-config', 'SILTSTONE_EMBEDDER is not JSON; give {"provider":"openai"}', {
      field: 'SILTSTONE_EMBEDDER',
      cause,
    })
  }
  return { default: parseEmbedderConfig(config) }
}

/**
 * `LOCK_TIMEOUT_MINUTES`: how long a lease lasts that its holder does not renew. Undefined without it: the default.
 * `LOCK_ID` is not read: each collection has a lease of its own.
 * @throws SiltstoneError `invalid` (lock-timeout)
 */
export function leaseLimitsOf({
  LOCK_TIMEOUT_MINUTES: text,
}: Variables): Pick<CompactLimits, 'leaseTtlMs'> | undefined {
  if (text === undefined || text === '') return undefined
  const minutes = Number(text)
  if (!(minutes >= 0.5 && minutes <= 60))
    throw invalid('lock-timeout', `LOCK_TIMEOUT_MINUTES is ${JSON.stringify(text)}; give a number from 0.5 to 60`, {
      field: 'LOCK_TIMEOUT_MINUTES',
    })
  return { leaseTtlMs: minutes * 60_000 }
}

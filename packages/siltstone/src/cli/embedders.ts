import { parseEmbedderConfig } from '../embed/config.ts'
import type { EmbedderRegistryOptions } from '../embed/registry.ts'
import { invalid } from '../errors.ts'
import { readFileText } from '../host/files.ts'

/**
 * Reads the file of `--embedders`: `{ "default": {…}, "functions": { "<name>": {…} }, "openai": {…}, "bedrock": {…} }`;
 * every key is optional.
 * @throws SiltstoneError `invalid` (embedder-config), `not-found`
 */
export async function readEmbedders(path: string): Promise<EmbedderRegistryOptions> {
  const text = await readFileText(path)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalid('embedder-config', `${path} is not JSON: ${(cause as Error).message}`, {
      field: '--embedders',
      cause,
    })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw invalid('embedder-config', `${path} is not a JSON object; write one, as {"default": {…}}`, {
      field: '--embedders',
    })
  const { default: first, functions = {}, openai, bedrock, ...rest } = json as Record<string, unknown>
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined)
    throw invalid('embedder-config', `${path}: unknown key ${unknown}; use only default, functions, openai, bedrock`, {
      field: '--embedders',
    })
  return {
    ...(first !== undefined && { default: parseEmbedderConfig(first) }),
    functions: Object.fromEntries(
      Object.entries(functions as Record<string, unknown>).map(([name, config]) => [name, parseEmbedderConfig(config)]),
    ),
    ...(openai !== undefined && { openai: settings('openai', openai) }),
    ...(bedrock !== undefined && { bedrock: settings('bedrock', bedrock) }),
  }
}

function settings(provider: 'openai' | 'bedrock', value: unknown): object {
  const { provider: _, ...rest } = parseEmbedderConfig({ ...(value as object), provider })
  return rest
}

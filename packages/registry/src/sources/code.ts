/** The code repository that belongs to an artifact, and what metrics look at in it. */
import type { CodeFile, CodeTree, JsonObject, SourceFile } from '../evidence/evidence.ts'
import { linksIn } from '../evidence/readme.ts'
import { isClosedPython } from '../evidence/snippet.ts'
import type { Source } from './source.ts'

const CARD_FIELDS = ['repository', 'repo', 'repo_url', 'code', 'github', 'github_url']

/** Owners and repositories of frameworks and tools: READMEs link them to show how a model is used, not where it was made. */
const TOOLS =
  /^(?:huggingface|pytorch|tensorflow|keras-team|openai\/openai-|google\/jax|jax-ml|ggerganov|ggml-org|vllm-project|sgl-project|nvidia\/(?:tensorrt|megatron|nemo)|microsoft\/(?:onnxruntime|deepspeed)|onnx|ollama|ml-explore|unslothai\/unsloth|oobabooga|lmstudio|eleutherai\/lm-evaluation-harness|langchain-ai|gradio-app|openvinotoolkit|explosion\/spacy|ukplab\/sentence-transformers|dao-ailab\/flash-attention|bitsandbytes-foundation|timdettmers\/bitsandbytes|casper-hansen\/autoawq|autogptq|mlco2)(?:\/|$)/i

/** Addresses in the order of their weight: the card says it, then links of the README in their order. */
export function linkedCode(card: JsonObject | undefined, readmeBody: string): string[] {
  const stated = CARD_FIELDS.flatMap((field) => {
    const value = card?.[field]
    return typeof value === 'string' && /^https?:\/\//.test(value) ? [value] : []
  })
  const links = linksIn(readmeBody).filter((link) => {
    const path = /^https?:\/\/(?:www\.)?[^/]+\/([^/?#]+\/[^/?#]+)/.exec(link)?.[1]
    return path !== undefined && !TOOLS.test(path)
  })
  return [...stated, ...links]
}

const TEXTS = /^(?:readme(?:\.\w+)?|requirements[^/]*\.txt|pyproject\.toml|setup\.cfg)$/i
const MAX_TEXTS = 6
const CODE = /\.(?:py|ts|js|rs|go|c|cc|cpp|h|java|jl|r|rb|sh)$/i
const MAX_READ_FILES = 5
const MAX_READ_BYTES = 200_000

export async function codeTreeOf(source: Source): Promise<{ value: CodeTree; limits?: string }> {
  const { files, filesLimits } = await source.describe()
  const isSmall = ({ sizeBytes }: SourceFile) => sizeBytes !== null && sizeBytes <= MAX_READ_BYTES
  const texts: Record<string, string> = {}
  for (const { path } of files.filter((file) => TEXTS.test(file.path) && isSmall(file)).slice(0, MAX_TEXTS)) {
    const text = await source.read(path)
    if (text !== undefined) texts[path] = text
  }
  const read = new Map<string, Pick<CodeFile, 'lines' | 'parses'>>()
  for (const { path } of evenly(
    files.filter((file) => CODE.test(file.path) && isSmall(file)),
    MAX_READ_FILES,
  )) {
    const text = await source.read(path)
    if (text === undefined) continue
    read.set(path, { lines: text.split('\n').length, parses: path.endsWith('.py') ? isClosedPython(text) : null })
  }
  const tree = files.map((file): CodeFile => ({ ...file, ...(read.get(file.path) ?? { lines: null, parses: null }) }))
  return { value: { url: source.label, files: tree, texts }, ...(filesLimits !== undefined && { limits: filesLimits }) }
}

/** A sample over the whole list, the same each time. */
function evenly<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items]
  return Array.from({ length: count }, (_, index) => items[Math.floor((index * items.length) / count)] as T)
}

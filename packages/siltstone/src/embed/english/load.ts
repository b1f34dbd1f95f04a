import type { ReadPackageFiles } from '../../ports/model-host.ts'
import { StaticModel } from './static-model.ts'

export const ENGLISH_PACKAGE = '@siltstone/embedder-english'
export const ENGLISH_DIMENSION = 256

/** By reader and directory (undefined: the installed package). A failed load is forgotten: the next call tries again. */
const loaded = new WeakMap<ReadPackageFiles, Map<string | undefined, Promise<StaticModel>>>()

/**
 * The English model, loaded at the first call and once per process.
 * @param directory where the model's files are, for bundles without `node_modules`
 * @throws SiltstoneError `unsupported` (package-missing), `unavailable` (package-file-unreadable), `corrupt` (embedder-files)
 */
export function loadEnglishModel(readFiles: ReadPackageFiles, directory?: string): Promise<StaticModel> {
  const models = loaded.get(readFiles) ?? new Map<string | undefined, Promise<StaticModel>>()
  loaded.set(readFiles, models)
  const known = models.get(directory)
  if (known !== undefined) return known
  const loading = load(readFiles, directory)
  models.set(directory, loading)
  loading.catch(() => models.delete(directory))
  return loading
}

async function load(readFiles: ReadPackageFiles, directory: string | undefined): Promise<StaticModel> {
  const [vocabulary, vectors, scales] = (await readFiles(
    ENGLISH_PACKAGE,
    ['vocab.txt', 'vectors.i8', 'scales.f32'],
    directory === undefined ? {} : { directory },
  )) as [Uint8Array, Uint8Array, Uint8Array]
  return new StaticModel({ vocabulary, vectors, scales }, ENGLISH_DIMENSION)
}

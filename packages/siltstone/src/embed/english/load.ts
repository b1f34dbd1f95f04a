import { readPackageFiles } from '../../host/package-files.ts'
import { StaticModel } from './static-model.ts'

export const ENGLISH_PACKAGE = '@siltstone/embedder-english'
export const ENGLISH_DIMENSION = 256

/** One per directory (undefined: the installed package); a failed load is forgotten, so the next call tries again. */
const loaded = new Map<string | undefined, Promise<StaticModel>>()

/**
 * The English model, loaded at the first call and once per process.
 * @param directory where the model's files are, for bundles without `node_modules`
 * @throws SiltstoneError `unsupported` (package-missing), `unavailable` (package-file-unreadable), `corrupt` (embedder-files)
 */
export function loadEnglishModel(directory?: string): Promise<StaticModel> {
  const known = loaded.get(directory)
  if (known !== undefined) return known
  const loading = load(directory)
  loaded.set(directory, loading)
  loading.catch(() => loaded.delete(directory))
  return loading
}

async function load(directory: string | undefined): Promise<StaticModel> {
  const [vocabulary, vectors, scales] = (await readPackageFiles(
    ENGLISH_PACKAGE,
    ['vocab.txt', 'vectors.i8', 'scales.f32'],
    directory === undefined ? {} : { directory },
  )) as [Uint8Array, Uint8Array, Uint8Array]
  return new StaticModel({ vocabulary, vectors, scales }, ENGLISH_DIMENSION)
}

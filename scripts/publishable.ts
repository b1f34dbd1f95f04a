/** Derives the published manifest of a package from the repository's. */

type Target = string | { readonly [condition: string]: Target }

export interface Manifest {
  name: string
  private?: boolean
  scripts?: Record<string, string>
  exports?: Record<string, Target>
  imports?: Record<string, Target>
  bin?: Record<string, string>
  [field: string]: unknown
}

/** Faces that only the repository's own tests use. */
const NOT_PUBLISHED = /^\.\/(testing|contracts|build)(\/|$)/

/**
 * Sources are replaced by their compiled files: `./src/x.ts` by `./x.js`, with the declarations beside it. The repository
 * keeps its packages private, so that no source is published by mistake.
 */
export function publishable({ private: _private, scripts: _scripts, ...manifest }: Manifest): Manifest {
  const { exports, imports, bin } = manifest
  return {
    ...manifest,
    ...(bin && { bin: mapValues(bin, pathOf) }),
    ...(exports && {
      exports: mapValues(
        Object.fromEntries(Object.entries(exports).filter(([face]) => !NOT_PUBLISHED.test(face))),
        targetOf,
      ),
    }),
    ...(imports && { imports: mapValues(imports, targetOf) }),
  }
}

function targetOf(target: Target): Target {
  if (typeof target !== 'string') return mapValues(target, targetOf)
  const path = pathOf(target)
  return target.endsWith('.ts') ? { types: path.replace(/\.js$/, '.d.ts'), default: path } : path
}

function pathOf(path: string): string {
  return path.replace(/^\.\/src\//, './').replace(/\.ts$/, '.js')
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, map: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

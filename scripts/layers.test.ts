import { describe, expect, it } from 'vitest'
import { check, importsOf, MAX_LINES } from './layers.ts'

const messages = (...sources: [path: string, text: string][]) =>
  check(sources.map(([path, text]) => ({ path, text }))).map(({ path, message }) => `${path} ${message}`)

describe('the layer check', () => {
  it('finds every form of import, with its line', () => {
    const text =
      "import a from './a.ts'\nimport type { B } from './b.ts'\nexport * from './c.ts'\nconst d = await import('./d.ts')\nimport {\n  e,\n} from 'e'\nimport 'f'\n"
    expect(importsOf(text)).toEqual([
      { line: 1, specifier: './a.ts', typeOnly: false },
      { line: 2, specifier: './b.ts', typeOnly: true },
      { line: 3, specifier: './c.ts', typeOnly: false },
      { line: 4, specifier: './d.ts', typeOnly: false },
      { line: 5, specifier: 'e', typeOnly: false },
      { line: 8, specifier: 'f', typeOnly: false },
    ])
  })

  it('lets a layer import what lies below it, and contracts from anywhere', () => {
    expect(
      messages(
        ['format/a.ts', "import '../errors.ts'\nimport type { X } from '../engine/types.ts'"],
        ['errors.ts', ''],
        ['engine/types.ts', ''],
      ),
    ).toEqual([])
  })

  it('refuses an import upwards or sideways', () => {
    expect(messages(['format/a.ts', "import '../log/b.ts'"], ['log/b.ts', ''])).toEqual([
      expect.stringContaining('format lies below or beside log'),
    ])
    expect(messages(['query/a.ts', "import '../compact/b.ts'"], ['compact/b.ts', ''])).toHaveLength(1)
  })

  it('refuses the machine outside the platform, and tests inside the product', () => {
    expect(messages(['log/a.ts', "import { readFileSync } from 'node:fs'"])).toEqual([
      expect.stringContaining('only platform/'),
    ])
    expect(messages(['platform/a.ts', "import { readFileSync } from 'node:fs'"])).toEqual([])
    expect(messages(['log/a.ts', "import { x } from '../testing/x.ts'"], ['testing/x.ts', ''])).toEqual([
      expect.stringContaining('does not import tests'),
    ])
  })

  it('finds circles, long files, strangers, and an index that works', () => {
    expect(messages(['log/a.ts', "import './b.ts'"], ['log/b.ts', "import './a.ts'"])).toEqual([
      expect.stringContaining('circle of imports: log/a.ts → log/b.ts → log/a.ts'),
    ])
    expect(messages(['log/a.ts', '\n'.repeat(MAX_LINES)])).toEqual([expect.stringContaining('split it')])
    expect(messages(['attic/a.ts', ''])).toEqual([expect.stringContaining('in no layer')])
    expect(
      messages(['log/index.ts', "/** Hello. */\nexport { a } from './a.ts'\nexport type * from './b.ts'"]),
    ).toEqual([])
    expect(messages(['log/index.ts', "export * from './a.ts'\nexport const b = 1"])).toEqual([
      expect.stringContaining('re-export'),
    ])
  })
})

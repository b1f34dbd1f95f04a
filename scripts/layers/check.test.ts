import { describe, expect, it } from 'vitest'
import { check } from './check.ts'
import { codeOf, importsOf } from './imports.ts'
import { MAX_LINES } from './rules.ts'

const CORE = 'packages/siltstone/src/'

const messages = (...sources: [path: string, text: string][]) =>
  check(sources.map(([path, text]) => ({ path, text }))).map(({ path, message }) => `${path} ${message}`)

/** The same within the core package. */
const inCore = (...sources: [path: string, text: string][]) =>
  messages(...sources.map(([path, text]): [string, string] => [`${CORE}${path}`, text]))

describe('the imports of a module', () => {
  it('are found in every form, with their lines', () => {
    const text =
      "import a from './a.ts'\nimport type { B } from './b.ts'\nexport * from './c.ts'\nconst d = await import('./d.ts')\nimport {\n  e,\n} from 'e'\nimport 'f'\n"
    const still = { typeOnly: false, dynamic: false }
    expect(importsOf(text)).toEqual([
      { ...still, line: 1, specifier: './a.ts' },
      { ...still, line: 2, specifier: './b.ts', typeOnly: true },
      { ...still, line: 3, specifier: './c.ts' },
      { ...still, line: 4, specifier: './d.ts', dynamic: true },
      { ...still, line: 5, specifier: 'e' },
      { ...still, line: 8, specifier: 'f' },
    ])
  })
})

describe('the code of a module', () => {
  it('is the text without comments, strings, templates and regular expressions', () => {
    const words = (text: string) => codeOf(text).match(/[A-Za-z]+/g) ?? []
    expect(words('a // no\nb /* no\nno */ c')).toEqual(['a', 'b', 'c'])
    expect(words(`a 'no' + "n'o" + 'n\\'o' + b`)).toEqual(['a', 'b'])
    expect(words('a `no ${b + `no ${c({ d })} no` + e} no ${f} no` + g')).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    expect(words(`a(/no['"]no/) + b / c / d`)).toEqual(['a', 'b', 'c', 'd'])
    expect(codeOf("/* 1\n2 */ a\n'x'").split('\n')).toEqual(['    ', '     a', '   '])
  })
})

describe('the layer check', () => {
  it('lets a room import what lies below it', () => {
    expect(
      inCore(['format/a.ts', "import '../errors.ts'\nimport '../model/x.ts'"], ['errors.ts', ''], ['model/x.ts', '']),
    ).toEqual([])
  })

  it('refuses an import upwards or sideways, of types as well', () => {
    expect(inCore(['format/a.ts', "import type { B } from '../log/b.ts'"], ['log/b.ts', ''])).toEqual([
      expect.stringContaining('format lies below or beside log'),
    ])
    expect(inCore(['query/a.ts', "import '../compact/b.ts'"], ['compact/b.ts', ''])).toHaveLength(1)
    expect(inCore(['drivers/memory/a.ts', "import '../directory/b.ts'"], ['drivers/directory/b.ts', ''])).toHaveLength(
      1,
    )
  })

  it('keeps drivers and host apart from the engine, in both directions', () => {
    expect(inCore(['engine/a.ts', "import '../host/b.ts'"], ['host/b.ts', ''])).toHaveLength(1)
    expect(inCore(['drivers/aws/a.ts', "import '../../engine/b.ts'"], ['engine/b.ts', ''])).toEqual([
      expect.stringContaining('drivers/aws may import'),
    ])
  })

  it('refuses the machine outside host and drivers, and Node where a read must run without it', () => {
    expect(inCore(['engine/a.ts', "import { readFileSync } from 'node:fs'"])).toEqual([
      expect.stringContaining('only host'),
    ])
    expect(inCore(['host/a.ts', "import { readFileSync } from 'node:fs'"])).toEqual([])
    expect(inCore(['compact/a.ts', "import { S3Client } from '@aws-sdk/client-s3'"])).toHaveLength(1)
    expect(inCore(['query/a.ts', "import { crc32 } from 'node:zlib'"])).toEqual([
      expect.stringContaining('must run without Node'),
    ])
    expect(inCore(['embed/english/a.ts', "import 'node:zlib'"])).toHaveLength(1)
  })

  it('refuses globals of Node where a read must run without it', () => {
    expect(inCore(['query/a.ts', '/** In another process. */\nconst a = Buffer.from(b)'])).toEqual([
      expect.stringContaining('uses Buffer'),
    ])
    expect(inCore(['log/a.ts', 'let a: NodeJS.Timeout\nprocess.env.X\nsetImmediate(run)'])).toHaveLength(3)
    expect(inCore(['log/a.ts', "world.process('Buffer'); const { process: a } = b; `Buffer ${a}`"])).toEqual([])
    expect(inCore(['log/a.test.ts', 'Buffer.from(b)'], ['compact/a.ts', 'Buffer.from(b)'])).toEqual([])
  })

  it('lets the runtime resolve an import name, and only its module for Node may use Node', () => {
    const codec: [string, string][] = [
      ['codec/portable.ts', ''],
      ['codec/node.ts', "import { setImmediate } from 'node:timers/promises'\nBuffer.from(a)"],
    ]
    expect(inCore(...codec, ['ports/a.ts', "import { crc32 } from '#codec'"])).toEqual([])
    expect(inCore(...codec, ['model/a.ts', "import { crc32 } from '#other'"])).toEqual([
      expect.stringContaining('add it to BY_RUNTIME'),
    ])
    expect(inCore(...codec, ['errors.ts', "import '#codec'"])).toEqual([
      expect.stringContaining('lies below or beside'),
    ])
    expect(inCore(...codec, ['ports/a.ts', "import '../codec/node.ts'"])).toEqual([
      expect.stringContaining('by its name with #'),
    ])
    expect(inCore(['codec/portable.ts', "import 'node:zlib'"])).toHaveLength(1)
    expect(messages(['bench/a.ts', "import '#codec'"])).toHaveLength(1)
  })

  it('refuses tests inside the product', () => {
    expect(inCore(['log/a.ts', "import { x } from '../testing/x.ts'"], ['testing/x.ts', ''])).toEqual([
      expect.stringContaining('does not import tests'),
    ])
  })

  it('lets packages use the named faces that the rules list, and no paths into one another', () => {
    expect(messages(['packages/migrate/src/a.ts', "import { openStore } from 'siltstone'"])).toEqual([])
    expect(messages(['packages/migrate/src/a.ts', "import 'siltstone/testing'"])).toHaveLength(1)
    expect(messages(['packages/migrate/src/a.test.ts', "import 'siltstone/testing'"])).toEqual([])
    expect(messages(['test/a.ts', "import '../packages/siltstone/src/errors.ts'"])).toEqual([
      expect.stringContaining('imported by its name'),
    ])
    expect(inCore(['engine/a.ts', "import '@siltstone/migrate'"])).toHaveLength(1)
    expect(inCore(['server/a.ts', "import '@siltstone/processors'"])).toHaveLength(1)
    expect(messages(['packages/functions/src/a.ts', "import '@siltstone/processors'"])).toHaveLength(1)
    expect(inCore(['cli/a.ts', "await import('@siltstone/migrate')"])).toEqual([])
  })

  it('finds circles, those of types and of tests included', () => {
    expect(inCore(['log/a.ts', "import './b.ts'"], ['log/b.ts', "import type { A } from './a.ts'"])).toEqual([
      expect.stringContaining(`circle of imports: ${CORE}log/a.ts → ${CORE}log/b.ts → ${CORE}log/a.ts`),
    ])
    expect(messages(['test/a.ts', "import './b.ts'"], ['test/b.ts', "import './a.ts'"])).toHaveLength(1)
    expect(
      inCore(['ports/a.contract.ts', "import './b.contract.ts'"], ['ports/b.contract.ts', "import './a.contract.ts'"]),
    ).toHaveLength(1)
  })

  it('finds long files, files of no package, and an index with code', () => {
    expect(inCore(['log/a.ts', '\n'.repeat(MAX_LINES)])).toEqual([expect.stringContaining('split it')])
    expect(inCore(['attic/a.ts', ''])).toEqual([expect.stringContaining('in no room')])
    expect(messages(['attic/a.ts', ''])).toEqual([expect.stringContaining('in no package')])
    expect(inCore(['log/index.ts', "/** Hello. */\nexport { a } from './a.ts'\nexport type * from './b.ts'"])).toEqual(
      [],
    )
    expect(inCore(['log/index.ts', "export * from './a.ts'\nexport const b = 1"])).toEqual([
      expect.stringContaining('re-export'),
    ])
  })
})

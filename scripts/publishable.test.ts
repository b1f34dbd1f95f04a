import { expect, it } from 'vitest'
import { publishable } from './publishable.ts'

it('maps sources to compiled files, and omits faces that only the repository uses', () => {
  expect(
    publishable({
      name: 'a',
      private: true,
      scripts: { build: 'make' },
      bin: { a: './src/cli/a.cjs' },
      exports: { '.': './src/index.ts', './testing': './src/testing/index.ts', './package.json': './package.json' },
      imports: { '#codec': { node: './src/codec/node.ts', default: './src/codec/portable.ts' }, '#lib': 'lib' },
      dependencies: { b: '1.0.0' },
    }),
  ).toEqual({
    name: 'a',
    bin: { a: './cli/a.cjs' },
    exports: { '.': { types: './index.d.ts', default: './index.js' }, './package.json': './package.json' },
    imports: {
      '#codec': {
        node: { types: './codec/node.d.ts', default: './codec/node.js' },
        default: { types: './codec/portable.d.ts', default: './codec/portable.js' },
      },
      '#lib': 'lib',
    },
    dependencies: { b: '1.0.0' },
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namedDatasets, namedParents, parseFrontMatter } from './card.ts'
import { readReadme, splitFrontMatter } from './readme.ts'
import { importedModules, isClosedPython, readRequirements } from './snippet.ts'

describe('front matter', () => {
  it.each<[string, string | undefined, string]>([
    ['---\na: 1\n---\nbody', 'a: 1\n', 'body'],
    ['\uFEFF---\r\na: 1\r\n---\r\nbody', 'a: 1\r\n', 'body'],
    ['---\nno end', undefined, '---\nno end'],
    ['# x\n---\n', undefined, '# x\n---\n'],
    ['---\n---\nbody', '', 'body'],
  ])('%j', (text, frontMatter, body) => {
    expect(splitFrontMatter(text)).toEqual({ frontMatter, body })
  })

  it('is a mapping or nothing', () => {
    expect(parseFrontMatter('a: [1, x]\nb:\n  c: 2020-01-01')).toEqual({ a: [1, 'x'], b: { c: '2020-01-01' } })
    for (const text of ['- a', 'text', '', 'a: [1', 'a: &a [*a]', '&a [*a]'.repeat(3), 'x'.repeat(200_000)]) {
      expect(parseFrontMatter(text)).toBeUndefined()
    }
  })

  it('that names itself again and again is refused', () => {
    const bomb = [
      'a: &a [1,1,1,1,1,1,1,1,1]',
      ...'bcdefgh'.split('').map((key, index) => `${key}: &${key} [${`*${'abcdefgh'[index]},`.repeat(9)}]`),
    ]
    expect(parseFrontMatter(bomb.join('\n'))).toBeUndefined()
  })

  it('any text is read', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseFrontMatter(text)))
    fc.assert(
      fc.property(fc.array(fc.constantFrom('---', '```', '# h', 'a|b', '|-|', 'text', '')), (lines) => {
        expect(readReadme(lines.join('\n')).words).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

describe('parents', () => {
  it('are found in card, tags and configuration, each once', () => {
    const card = { base_model: ['a/b'], base_model_relation: 'quantized' }
    const texts = {
      'adapter_config.json': '{"base_model_name_or_path":"A/B"}',
      'config.json': '{"_name_or_path":"c/d"}',
    }
    expect(namedParents('me/mine', card, ['base_model:finetune:a/b', 'license:mit'], texts)).toEqual([
      { id: 'a/b', relation: 'quantized', place: 'model_card' },
      { id: 'c/d', relation: 'base_model', place: 'config_json' },
    ])
  })

  it('several in a card are merged, unless it says otherwise; an adapter is one', () => {
    expect(namedParents(null, { base_model: ['a/b', 'c/d'] }, [], {}).map(({ relation }) => relation)).toEqual([
      'merge',
      'merge',
    ])
    const adapter = { 'adapter_config.json': '{"base_model_name_or_path":"a/b"}' }
    expect(namedParents(null, { base_model: 'a/b' }, [], adapter)).toEqual([
      { id: 'a/b', relation: 'adapter', place: 'model_card' },
    ])
  })

  it('are not the artifact itself, nor folders, nor nonsense', () => {
    const texts = { 'config.json': '{"_name_or_path":"output"}', 'adapter_config.json': '{' }
    expect(
      namedParents('me/mine', { base_model: ['Me/Mine', './x', 'a/b/c', 3, null] }, ['base_model'], texts),
    ).toEqual([])
    expect(namedDatasets({ datasets: ['a/b', 'c', 3, 'https://x'] })).toEqual(['a/b', 'c'])
  })
})

describe('snippets', () => {
  it.each([
    ['x = f(1, [2, {3: "4"}])', true],
    ["x = \"a)\"  # (\ny = '''(\n('''", true],
    ['"\\""', true],
    ['f(', false],
    [')', false],
    ['(]', false],
    ['x = "a\n"', false],
    ["'''", false],
  ])('%j is closed: %s', (code, isClosed) => {
    expect(isClosedPython(code)).toBe(isClosed)
  })

  it('imports and requirements', () => {
    expect(
      importedModules('import os, torch as t, numpy\nfrom PIL.Image import open\nfrom . import x\n  import json'),
    ).toEqual(['PIL', 'numpy', 'torch'])
    expect(
      readRequirements('torch==2.9.0 # x\n# c\nscikit_learn[all]>=1\n-r more.txt\nx @ https://h/x.whl\ny==2.*\n'),
    ).toEqual([
      { name: 'torch', isPinned: true },
      { name: 'scikit-learn', isPinned: false },
      { name: 'x', isPinned: true },
      { name: 'y', isPinned: false },
    ])
  })
})

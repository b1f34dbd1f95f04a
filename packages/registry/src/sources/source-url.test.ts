import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isSiltstoneError } from 'siltstone/internal'
import { parseSourceUrl } from './source-url.ts'

it.each([
  [
    'https://huggingface.co/google-bert/bert-base-uncased',
    'hub',
    'model',
    'bert-base-uncased',
    'https://huggingface.co/google-bert/bert-base-uncased',
  ],
  ['https://huggingface.co/a/b/tree/main', 'hub', 'model', 'b', 'https://huggingface.co/a/b'],
  [
    'https://huggingface.co/a/b/resolve/v1/model.safetensors?download=true',
    'hub',
    'model',
    'b',
    'https://huggingface.co/a/b',
  ],
  ['https://huggingface.co/gpt2/', 'hub', 'model', 'gpt2', 'https://huggingface.co/gpt2'],
  ['https://huggingface.co/gpt2/tree/main', 'hub', 'model', 'gpt2', 'https://huggingface.co/gpt2'],
  ['https://www.huggingface.co/datasets/a/b.git#x', 'hub', 'dataset', 'b', 'https://huggingface.co/datasets/a/b'],
  ['http://HuggingFace.co/datasets/squad', 'hub', 'dataset', 'squad', 'https://huggingface.co/datasets/squad'],
  ['https://github.com/openai/whisper', 'github', 'code', 'openai-whisper', 'https://github.com/openai/whisper'],
  ['https://github.com/openai/whisper.git', 'github', 'code', 'openai-whisper', 'https://github.com/openai/whisper'],
  [
    'https://github.com/openai/whisper/tree/main/tests',
    'github',
    'code',
    'openai-whisper',
    'https://github.com/openai/whisper',
  ],
  ['https://example.org/sets/fruit.git/', null, 'code', 'fruit', 'https://example.org/sets/fruit'],
  ['https://example.org', null, 'code', 'example.org', 'https://example.org'],
])('%s', (text, driver, type, name, canonical) => {
  expect(parseSourceUrl(text)).toMatchObject({ driver, type, name, canonical })
})

it('takes the type that the user registers, and the revision of the URL', () => {
  expect(parseSourceUrl('https://github.com/a/b', 'dataset')).toMatchObject({ type: 'dataset', name: 'b' })
  expect(parseSourceUrl('https://huggingface.co/a/b/tree/refs%2Fpr%2F1').revision).toBe('refs/pr/1')
  expect(parseSourceUrl('https://huggingface.co/a/b/discussions/3').revision).toBeNull()
})

it.each([
  'huggingface.co/a/b',
  '',
  'ftp://huggingface.co/a/b',
  'https://huggingface.co/',
  'https://huggingface.co/a/b/c',
  'https://huggingface.co/spaces/a/b',
  'https://huggingface.co/a/%2E%2E',
  'https://github.com/openai',
  'https://user:secret@github.com/a/b',
  `https://github.com/${'a'.repeat(3_000)}/b`,
])('refuses %s', (text) => {
  expect(() => parseSourceUrl(text)).toThrow(
    expect.objectContaining({ kind: 'invalid', code: 'source-url', field: 'url' }),
  )
})

it('the canonical address means the same again, and any text is parsed or refused', () => {
  const segment = fc.constantFrom(
    'a',
    'b-c',
    'datasets',
    'spaces',
    'tree',
    'main',
    'x.git',
    '%2F',
    '%',
    '..',
    'é',
    '',
    'resolve',
  )
  const host = fc.constantFrom(
    'huggingface.co',
    'www.huggingface.co',
    'github.com',
    'example.org',
    'EXAMPLE.org:8443',
    '[::1]',
  )
  const address = fc
    .tuple(
      fc.constantFrom('https://', 'http://', ''),
      host,
      fc.array(segment, { maxLength: 6 }),
      fc.constantFrom('', '?q=1', '#f'),
    )
    .map(([scheme, at, path, end]) => `${scheme}${at}/${path.join('/')}${end}`)
  const text = fc.oneof(address, fc.string())
  fc.assert(
    fc.property(text, (url) => {
      try {
        const parsed = parseSourceUrl(url)
        const again = parseSourceUrl(parsed.canonical, parsed.type)
        expect(again).toMatchObject({
          canonical: parsed.canonical,
          driver: parsed.driver,
          repository: parsed.repository,
        })
      } catch (error) {
        if (!isSiltstoneError(error, 'invalid')) throw error
      }
    }),
  )
})

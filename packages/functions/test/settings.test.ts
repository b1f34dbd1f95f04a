import { describe, expect, it } from 'vitest'
import { leaseLimitsOf, embeddersOf, placeFromSwitches, withSecrets } from '../src/settings.ts'

describe('secrets', () => {
  const read = async (name: string) => ({ '/s/tokens': '[…]', '/s/key': 'sk-1', '/s/empty': '' })[name]

  it('are read from the parameters that the environment names', async () => {
    const named = { SILTSTONE_TOKENS_PARAMETER: '/s/tokens', OPENAI_API_KEY_PARAMETER: '/s/key', OTHER: 'x' }
    expect(await withSecrets(named, read)).toEqual({ ...named, SILTSTONE_TOKENS: '[…]', OPENAI_API_KEY: 'sk-1' })
  })

  it('are those of the services that a registry asks, too', async () => {
    const named = { HF_TOKEN_PARAMETER: '/s/key', GITHUB_TOKEN_PARAMETER: '/s/tokens' }
    expect(await withSecrets(named, read)).toMatchObject({ HF_TOKEN: 'sk-1', GITHUB_TOKEN: '[…]' })
  })

  it('stay as they are where the environment has them itself', async () => {
    const variables = { OPENAI_API_KEY: 'sk-2', SILTSTONE_TOKENS_PARAMETER: '' }
    expect(await withSecrets(variables, read)).toEqual(variables)
  })

  it('are never missing in silence: without tokens everybody could read', async () => {
    for (const name of ['/s/empty', '/s/none'])
      await expect(withSecrets({ SILTSTONE_TOKENS_PARAMETER: name }, read)).rejects.toThrow(`${name} is empty`)
  })
})

describe('switches', () => {
  it('name the bucket of a function that has no other variable for it', () => {
    expect(placeFromSwitches({ USE_S3: '1', S3_BUCKET_NAME: 'b', USE_SQLITE: '0' })).toBe('s3://b')
    expect(placeFromSwitches({ USE_S3: 'Yes', S3_BUCKET_NAME: 'b', USE_SQLITE: '1' })).toBe('s3://b')
    expect(placeFromSwitches({ USE_S3: '0', S3_BUCKET_NAME: 'b' })).toBeUndefined()
    expect(placeFromSwitches({})).toBeUndefined()
  })

  it.each([
    [{ USE_S3: '1' }, 'set S3_BUCKET_NAME'],
    [{ USE_S3: 'perhaps' }, 'USE_S3 is "perhaps"'],
    [{ USE_SQLITE: '1' }, 'loses its files'],
  ])('refuse %s', (variables, message) => {
    expect(() => placeFromSwitches(variables)).toThrow(message)
  })
})

describe('the embedder', () => {
  it('is English unless one is named', () => {
    expect(embeddersOf({ OPENAI_API_KEY: 'sk-1' })).toEqual({})
    expect(embeddersOf({ SILTSTONE_EMBEDDER: '{"provider":"bedrock","dimensions":512}' })).toEqual({
      default: { provider: 'bedrock', dimensions: 512 },
    })
  })

  it.each(['nonsense', '{}', '{"provider":"other"}'])('refuses %s', (SILTSTONE_EMBEDDER) => {
    expect(() => embeddersOf({ SILTSTONE_EMBEDDER })).toThrow(expect.objectContaining({ code: 'embedder-config' }))
  })
})

describe('LOCK_TIMEOUT_MINUTES', () => {
  it('is the time of a lease', () => {
    expect(leaseLimitsOf({})).toBeUndefined()
    expect(leaseLimitsOf({ LOCK_TIMEOUT_MINUTES: '15', LOCK_ID: 'main' })?.leaseTtlMs).toBe(900_000)
  })

  it.each(['0', 'x', '61', '-1'])('refuses %s', (text) => {
    expect(() => leaseLimitsOf({ LOCK_TIMEOUT_MINUTES: text })).toThrow('give a number from 0.5 to 60')
  })
})

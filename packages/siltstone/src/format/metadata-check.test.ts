import { describe, expect, it } from 'vitest'
import { checkMetadataText } from './metadata-check.ts'

describe('metadata', () => {
  it.each([
    '{}',
    '{"a":"x","b":true,"c":1,"d":1.5,"e":-9223372036854775808}',
    '{"a":["x",""],"b":[true,false],"c":[1,2.5]}',
    '{"chroma:document":"x","a#":1}',
    '{"s":{"#type":"sparse_vector","indices":[],"values":[]}}',
    '{"s":{"#type":"sparse_vector","indices":[0,4294967295],"values":[1,-0.5],"tokens":["a","b"]}}',
    '{"s":{"#type":"sparse_vector","indices":[0],"values":[1],"tokens":null}}',
  ])('takes %s', (text) => {
    expect(checkMetadataText(text, false)).toBeUndefined()
    expect(checkMetadataText(text, true)).toBeUndefined()
  })

  it.each(['{"a":null}', '{"a":[]}'])('takes %s only in a patch', (text) => {
    expect(checkMetadataText(text, true)).toBeUndefined()
    expect(checkMetadataText(text, false)).toContain('only allowed in update and upsert')
  })

  it.each([
    ['nonsense', 'not JSON'],
    ['1', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['[]', 'not a JSON object'],
    ['{"":1}', 'must not be empty'],
    ['{"#a":1}', 'must not begin'],
    ['{"$a":1}', 'must not begin'],
    ['{"a":{"b":1}}', 'sparse vector'],
    ['{"a":[1,"x"]}', 'one kind'],
    ['{"a":[true,1]}', 'one kind'],
    ['{"a":[null]}', 'one kind'],
    ['{"a":[[1]]}', 'one kind'],
    ['{"a":1e999}', 'not JSON'],
    ['{"s":{"#type":"sparse_vector","indices":[1,1],"values":[1,1]}}', 'ascending'],
    ['{"s":{"#type":"sparse_vector","indices":[1.0],"values":[1]}}', 'ascending'],
    ['{"s":{"#type":"sparse_vector","indices":[4294967296],"values":[1]}}', 'ascending'],
    ['{"s":{"#type":"sparse_vector","indices":[1],"values":[]}}', 'as many values'],
    ['{"s":{"#type":"sparse_vector","indices":[1],"values":[1e39]}}', '32-bit floats'],
    ['{"s":{"#type":"sparse_vector","indices":[1],"values":[1],"tokens":[1]}}', 'tokens'],
    ['{"s":{"#type":"sparse_vector","indices":[1],"values":[1],"x":1}}', 'has no "x"'],
    ['{"s":{"#type":"sparse_vector"}}', 'needs indices'],
  ])('refuses %s', (text, reason) => {
    expect(checkMetadataText(text, true)).toContain(reason)
  })
})

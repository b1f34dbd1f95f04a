import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { childrenOf, childText, parseXml, readableXml, xmlDocument } from './xml.ts'

describe('the XML of S3', () => {
  it('comes back as it was written', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (keys) => {
        const document = xmlDocument('Delete', { Quiet: true, Object: keys.map((Key) => ({ Key, None: undefined })) })
        const root = parseXml(document)
        expect(root.name).toBe('Delete')
        expect(childText(root, 'Quiet')).toBe('true')
        expect(childrenOf(root, 'Object').map((one) => childText(one, 'Key'))).toEqual(keys)
        expect(childrenOf(root, 'None')).toEqual([])
      }),
    )
  })

  it('has a form that every reader takes of texts for people', () => {
    expect(readableXml('a\u0001\t\n\r\u001f\ufffe\ud800b\u{1f600}\u007f')).toBe(
      'a\ufffd\t\n\r\ufffd\ufffd\ufffdb\u{1f600}\u007f',
    )
  })

  it('is read with prefixes, comments, CDATA, attributes and empty elements', () => {
    const root = parseXml(
      `\ufeff<?xml version="1.0"?>\n<!-- c --><s3:A xmlns:s3='x' a="1>2"><s3:B/><C x = "y" /><D><![CDATA[<&>]]></D><E>a&#x41;&#66;&lt;</E></s3:A>\n`,
    )
    expect(root.name).toBe('A')
    expect(root.children.map(({ name, text }) => [name, text])).toEqual([
      ['B', ''],
      ['C', ''],
      ['D', '<&>'],
      ['E', 'aAB<'],
    ])
  })

  it.each([
    '',
    'text',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '</a>',
    '<a>&unknown;</a>',
    '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    '<a><',
    '<a>'.repeat(30),
    // Characters that XML 1.0 does not have.
    '<a>\u0001</a>',
    '<a>&#x1;</a>',
    '<a>&#0;</a>',
    '<a>\u000b</a>',
    '<a>&#xFFFE;</a>',
    '<a>&#xD800;</a>',
    '<a><![CDATA[\u001f]]></a>',
  ])('is refused: %s', (text) => expect(() => parseXml(text)).toThrow('XML'))
})

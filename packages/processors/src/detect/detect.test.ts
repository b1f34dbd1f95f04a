import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentType } from './content-type.ts'
import { decodeText, sniffText } from './text-encoding.ts'
import { textKind } from './text-kind.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const latin = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))

describe('content type', () => {
  it.each([
    ['%PDF-1.7\n', 'application/pdf'],
    ['junk before\n%PDF-1.4\n', 'application/pdf'],
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['RIFF\0\0\0\0WAVEfmt ', 'audio/wav'],
    ['RIFF\0\0\0\0AVI LIST', 'video/x-msvideo'],
    ['RIFF\0\0\0\0WEBPVP8 ', 'image/webp'],
    ['\0\0\0\x18ftypmp42', 'video/mp4'],
    ['\0\0\0\x14ftypqt  ', 'video/quicktime'],
    ['\0\0\0\x1cftypM4A ', 'audio/mp4'],
    ['\0\0\0\x1cftypavif', 'image/avif'],
    ['\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm', 'video/webm'],
    ['\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska', 'video/x-matroska'],
    ['\xff\xfb\x90\x64', 'audio/mpeg'],
    ['\xff\xf1\x50\x80', 'audio/aac'],
    ['\0\x01\x02\x03\x04\x05\x06\x07', 'application/octet-stream'],
  ])('%j is %s', (head, type) => expect(contentType(latin(head))).toBe(type))

  it.each([
    ['<!-- a note -->\n<!DOCTYPE html><html>', 'text/html'],
    ['<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">', 'text/html'],
    ['<p>A fragment with <b>words</b> in it.</p><p>Another.</p>', 'text/html'],
    ['<p align="center">logo</p>\n\n# Title\n\n- one\n- two\n', 'text/plain'],
    ['WEBVTT\n\n00:01.000 --> 00:02.000\nHi', 'text/vtt'],
    ['1\n00:00:01,000 --> 00:00:02,000\nHi', 'application/x-subrip'],
    ['Received: from a\n by b\nFrom: a@example.com\nSubject: x\nDate: now\n\nHi', 'message/rfc822'],
    ['MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="a"\n\n--a', 'message/rfc822'],
    ['From a@example.com  Fri Nov 26 21:40:36 2004\nX-Data: x\n\ty\n\nHi', 'message/rfc822'],
    ['From here one sees the sea in 2004\nNote: nothing else.', 'text/plain'],
    ['From: the beginning to: the end. Subject: rivers.', 'text/plain'],
    ['BMW builds cars.', 'text/plain'],
    ['', 'text/plain'],
  ])('%j is %s', (text, type) => expect(contentType(bytes(text))).toBe(type))

  it('is not what was stored, nor what the name says', () => {
    expect(contentType(bytes('%PDF-1.7'), 'text/plain')).toBe('application/pdf')
    expect(contentType(bytes('Only words.'), 'application/pdf')).toBe('text/plain')
  })
})

describe('text encodings', () => {
  const encoders: Record<string, (text: string) => Uint8Array> = {
    'utf-8': bytes,
    'utf-8 with a mark': (text) => bytes(`\ufeff${text}`),
    'utf-16le with a mark': (text) => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le')),
    'utf-16be with a mark': (text) => new Uint8Array(Buffer.from(`\ufeff${text}`, 'utf16le').swap16()),
  }
  it.each(Object.keys(encoders))('%s gives the text back', (name) => {
    const encode = encoders[name] as (text: string) => Uint8Array
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('aZ éß漢字😀\n.')), minLength: 1 }), (text) => {
        const encoded = encode(text)
        const sniffed = sniffText(encoded, true)
        expect(sniffed && decodeText(encoded, sniffed)).toBe(text)
      }),
    )
  })

  it('knows Windows-1252, what is declared, UTF-16 without a mark, and a character that the end of the head cuts', () => {
    const read = (encoded: Uint8Array, declared?: string) => {
      const sniffed = sniffText(encoded, true, declared)
      return sniffed && decodeText(encoded, sniffed)
    }
    expect(read(latin('Stra\xdfe \x80'))).toBe('Straße €')
    expect(read(latin('\x82\xa0'), 'shift_jis')).toBe('あ')
    expect(read(new Uint8Array(Buffer.from('plain words', 'utf16le')))).toBe('plain words')
    expect(sniffText(bytes('é').subarray(0, 1), false)?.encoding).toBe('utf-8')
    expect(sniffText(bytes('é').subarray(0, 1), true)?.encoding).toBe('windows-1252')
    expect(
      sniffText(
        Uint8Array.from({ length: 100 }, (_, k) => k % 7),
        true,
      ),
    ).toBeUndefined()
  })
})

describe('kinds of text', () => {
  it.each([
    ['{"a": [1, 2]}', '', 'json'],
    ['{"a": 1}\n{"a": 2}\n', '', 'json-lines'],
    ['[1] Smith, J.: On rivers.\n', 'notes.txt', 'plain'],
    ['name,age\nAda,36\nAlan,41\nGrace,85\n', '', 'table'],
    ['name;age\nAda;36\n', 'people.CSV', 'table'],
    ['Well, it rained.\nThen, it stopped.\nSo, we left.\nYes, we did.\n', '', 'plain'],
    ["import a from 'a';\nimport b from 'b';\nexport { a };\nexport { b };\n", '', 'code'],
    ["export * from './a';\nexport * from './b';\nexport * from './c';\nexport * from './d';\n", 'index.js', 'code'],
    ['# Title\n\nSee [this](http://x).\n\n- a\n', 'README', 'markdown'],
    ['def f(x):\n    return x\n', 'f.py', 'code'],
    ['import os\n\ndef f(x):\n    if x:\n        return os.getcwd()\n', '', 'code'],
    ['#!/usr/bin/env python\nprint(1)\n', '', 'code'],
    ['Rivers carry sand.\n\nIt settles.\n', '', 'plain'],
  ] as const)('%j (%s) is %s', (text, name, kind) => expect(textKind(text, '', name)).toBe(kind))
})

import { describe, expect, it } from 'vitest'
import { PickledObject, readPickle } from './pickle.ts'

const read = (base64: string) => readPickle(Buffer.from(base64, 'base64'), 'x.pickle')

const PICKLES: [number, string][] = [
  [
    2,
    'gAJ9cQAoWAQAAABub25lcQFOWAUAAABib29sc3ECXXEDKIiJZVgEAAAAaW50c3EEXXEFKEsASv////9L/03//0oAAAEASgAAAICKBwEAAAAAACCKCQAAAAAAAAAAwGVYBQAAAGZsb2F0cQZHP/gAAAAAAABYBAAAAHRleHRxB1gLAAAAR3LDtsOfZSDimINxCFgFAAAAdHVwbGVxCUsBSwJLA4ZxCimHcQtYBgAAAG5lc3RlZHEMfXENSwFYAQAAAGFxDnN1Lg==',
  ],
  [
    3,
    'gAN9cQAoWAQAAABub25lcQFOWAUAAABib29sc3ECXXEDKIiJZVgEAAAAaW50c3EEXXEFKEsASv////9L/03//0oAAAEASgAAAICKBwEAAAAAACCKCQAAAAAAAAAAwGVYBQAAAGZsb2F0cQZHP/gAAAAAAABYBAAAAHRleHRxB1gLAAAAR3LDtsOfZSDimINxCFgFAAAAdHVwbGVxCUsBSwJLA4ZxCimHcQtYBgAAAG5lc3RlZHEMfXENSwFYAQAAAGFxDnN1Lg==',
  ],
  [
    4,
    'gASVmwAAAAAAAAB9lCiMBG5vbmWUTowFYm9vbHOUXZQoiIlljARpbnRzlF2UKEsASv////9L/03//0oAAAEASgAAAICKBwEAAAAAACCKCQAAAAAAAAAAwGWMBWZsb2F0lEc/+AAAAAAAAIwEdGV4dJSMC0dyw7bDn2Ug4piDlIwFdHVwbGWUSwFLAksDhpQph5SMBm5lc3RlZJR9lEsBjAFhlHN1Lg==',
  ],
  [
    5,
    'gAWVmwAAAAAAAAB9lCiMBG5vbmWUTowFYm9vbHOUXZQoiIlljARpbnRzlF2UKEsASv////9L/03//0oAAAEASgAAAICKBwEAAAAAACCKCQAAAAAAAAAAwGWMBWZsb2F0lEc/+AAAAAAAAIwEdGV4dJSMC0dyw7bDn2Ug4piDlIwFdHVwbGWUSwFLAksDhpQph5SMBm5lc3RlZJR9lEsBjAFhlHN1Lg==',
  ],
]
const INSTANCES = [
  'gAJjY2hyb21hZGJfc2VnbWVudApQZXJzaXN0ZW50RGF0YQpxACmBcQF9cQIoWAoAAABtYXhfc2VxX2lkcQNLB1gLAAAAaWRfdG9fbGFiZWxxBH1xBVgBAAAAYXEGSwFzdWIu',
  'gANjY2hyb21hZGJfc2VnbWVudApQZXJzaXN0ZW50RGF0YQpxACmBcQF9cQIoWAoAAABtYXhfc2VxX2lkcQNLB1gLAAAAaWRfdG9fbGFiZWxxBH1xBVgBAAAAYXEGSwFzdWIu',
  'gASVVQAAAAAAAACMEGNocm9tYWRiX3NlZ21lbnSUjA5QZXJzaXN0ZW50RGF0YZSTlCmBlH2UKIwKbWF4X3NlcV9pZJRLB4wLaWRfdG9fbGFiZWyUfZSMAWGUSwFzdWIu',
  'gAWVVQAAAAAAAACMEGNocm9tYWRiX3NlZ21lbnSUjA5QZXJzaXN0ZW50RGF0YZSTlCmBlH2UKIwKbWF4X3NlcV9pZJRLB4wLaWRfdG9fbGFiZWyUfZSMAWGUSwFzdWIu',
]

describe('pickles', () => {
  // Each made by Python 3.11: base64(pickle.dumps(value, protocol)).
  const value = new Map<unknown, unknown>([
    ['none', null],
    ['bools', [true, false]],
    ['ints', [0, -1, 255, 65_535, 65_536, -2_147_483_648, 9_007_199_254_740_993n, -1_180_591_620_717_411_303_424n]],
    ['float', 1.5],
    ['text', 'Größe ☃'],
    ['tuple', [1, [2, 3], []]],
    ['nested', new Map([[1, 'a']])],
  ])
  it.each(PICKLES)('protocol %i', (_, text) => {
    expect(read(text)).toEqual(value)
  })

  it('keeps the state of an instance without looking up its class', () => {
    for (const text of INSTANCES) {
      const object = read(text) as PickledObject
      expect(object).toBeInstanceOf(PickledObject)
      expect(object.className).toMatch(/\.PersistentData$/)
      expect(object.state).toEqual(
        new Map<string, unknown>([
          ['max_seq_id', 7],
          ['id_to_label', new Map([['a', 1]])],
        ]),
      )
    }
  })

  it('never calls anything, and refuses truncated files and other formats', () => {
    // os.system('false'), as pickle would run it.
    const call = read('gASVIAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAVmYWxzZZSFlFKULg==')
    expect(call).toEqual(new PickledObject('posix.system'))
    const whole = Buffer.from(PICKLES[0]?.[1] ?? '', 'base64')
    for (let length = 0; length < whole.length; length++)
      expect(() => readPickle(whole.subarray(0, length), 'x.pickle')).toThrow(/x\.pickle is not a readable pickle/)
    expect(() => readPickle(Buffer.from('PK\x03\x04'), 'x.pickle')).toThrow(/opcode/)
  })
})

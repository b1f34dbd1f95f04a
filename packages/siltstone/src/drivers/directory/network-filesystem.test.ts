import { describe, expect, it } from 'vitest'
import { type LogFields, silentLogger } from '../../ports/telemetry.ts'
import { judgeFileSystem } from './network-filesystem.ts'

describe('judgeFileSystem', () => {
  const judge = (type: number, isAllowed = false) => {
    const warnings: (LogFields | undefined)[] = []
    judgeFileSystem(type, '/data', isAllowed, { ...silentLogger, warn: (_event, fields) => warnings.push(fields) })
    return warnings
  }

  it.each([
    ['NFS', 0x6969],
    ['SMB', 0x517b],
    ['CIFS', 0xff534d42],
    ['SMB2', 0xfe534d42],
    ['CIFS', 0xff534d42 | 0],
  ])('refuses %s, unless it is allowed', (name, type) => {
    expect(() => judge(type)).toThrow(`/data is on ${name}`)
    expect(judge(type, true)).toEqual([{ directory: '/data', type: name }])
  })

  it('knows the local ones', () => {
    const isLocal = (type: number) => judgeFileSystem(type, '/data', true, silentLogger)
    expect([0xef53, 0x58465342, 0x9123683e | 0, 0x01021994, 0x794c7630].map(isLocal)).toEqual(Array(5).fill(true))
    expect([0x65735546, 0x6969, 0xff534d42, 0].map(isLocal)).toEqual(Array(4).fill(false))
  })

  it('warns of FUSE and says nothing of local ones', () => {
    expect(judge(0x65735546)).toEqual([{ directory: '/data', type: 'FUSE' }])
    // ext4, xfs, btrfs, tmpfs, overlayfs
    for (const type of [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0]) expect(judge(type)).toEqual([])
  })
})

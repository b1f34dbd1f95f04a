import { statfs } from 'node:fs/promises'
import { unsupported } from '../../errors.ts'
import type { Logger } from '../../ports/telemetry.ts'

/** `f_type` of statfs(2) on Linux. */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
])
const FUSE = 0x65735546
/** File systems whose `stat` shows the state of this machine's own disk or memory, and each change of a directory. */
const LOCAL_FILE_SYSTEMS = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0xca451a4e, // bcachefs
])

/**
 * Network file systems lack what the store is built on: links that fail if the name exists, locks that a crash frees,
 * and a sync that reaches the disk. A FUSE file system may be one of them, so it only causes a warning.
 * @returns whether the file system is known to be local
 * @throws SiltstoneError `unsupported` (network-filesystem) unless it is allowed
 */
export async function checkFileSystem(directory: string, isAllowed: boolean, log: Logger): Promise<boolean> {
  const { type } = await statfs(directory)
  return judgeFileSystem(process.platform === 'linux' ? type : 0, directory, isAllowed, log)
}

/** The decision alone, from the type that statfs returned. */
export function judgeFileSystem(type: number, directory: string, isAllowed: boolean, log: Logger): boolean {
  const name = NETWORK_FILE_SYSTEMS.get(type >>> 0)
  if (name !== undefined && !isAllowed) {
    throw unsupported(
      'network-filesystem',
      `${directory} is on ${name}, which cannot keep a store safe between machines. Use a local disk or a bucket; ` +
        'set allowNetworkFilesystem only if a single machine ever opens it and you accept the risk.',
    )
  }
  if (name !== undefined || type >>> 0 === FUSE)
    log.warn('store.network-filesystem', { directory, type: name ?? 'FUSE' })
  return LOCAL_FILE_SYSTEMS.has(type >>> 0)
}

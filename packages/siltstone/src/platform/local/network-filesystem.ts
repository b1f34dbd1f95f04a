import { statfs } from 'node:fs/promises'
import { unsupported } from '../../errors.ts'
import type { Logger } from '../telemetry.ts'

/** `f_type` of statfs(2) on Linux. */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
])
const FUSE = 0x65735546

/**
 * Network file systems do not keep what the store is built on: links that fail when the name exists, locks that a crash
 * frees, sync that reaches the disk. FUSE may be one or not, so it gives a warning.
 * @throws SiltstoneError `unsupported` (network-filesystem) unless it is allowed
 */
export async function checkFileSystem(directory: string, isAllowed: boolean, log: Logger): Promise<void> {
  const { type } = await statfs(directory)
  judgeFileSystem(process.platform === 'linux' ? type : 0, directory, isAllowed, log)
}

/** The decision alone, on the type that statfs gave. */
export function judgeFileSystem(type: number, directory: string, isAllowed: boolean, log: Logger): void {
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
}

import type {
  BlobInfo,
  BlobPart,
  BlobTags,
  PartInfo,
  UploadInfo,
  UploadOptions,
  Versioning,
} from '../../ports/blob-store.ts'

export interface MemoryPart {
  info: PartInfo
  /** Hexadecimal. */
  md5: string
  bytes: Uint8Array
}

export interface MemoryVersion {
  versionId: string
  /** Undefined: a delete marker. */
  content?: { blob: BlobInfo; tags: BlobTags; bytes: Uint8Array; parts?: BlobPart[]; uploadId?: string }
  modifiedMs: number
}

export interface MemoryUpload {
  info: UploadInfo
  options: UploadOptions
  parts: Map<number, MemoryPart>
}

export interface MemoryBucket {
  createdMs: number
  versioning: Versioning
  /** The newest version first. A key without versions is not in the map. */
  keys: Map<string, MemoryVersion[]>
  uploads: Map<string, MemoryUpload>
  settings: Map<string, string>
}

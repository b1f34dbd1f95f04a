/** How the sections of a segment are cut: for stores, where a request costs more than bytes, and for pages, where bytes cost. */

export interface SegmentLayout {
  /** `f32`: exact. `i8`: a quarter of it; see `pages.ts`. */
  vectors: 'f32' | 'i8'
  vectorPageBytes: number
  rowPageBytes: number
  /** Raw bytes of the blocks of texts. */
  idBlockBytes: number
  metadataBlockBytes: number
  documentBlockBytes: number
  /** Directories of version 2; see `blob-writer.ts`. */
  smallBlocks: boolean
}

export const STORED_LAYOUT: SegmentLayout = {
  vectors: 'f32',
  vectorPageBytes: 4096,
  rowPageBytes: 4096,
  idBlockBytes: 32 * 1024,
  metadataBlockBytes: 32 * 1024,
  documentBlockBytes: 64 * 1024,
  smallBlocks: false,
}

/** For collections that are published: a query reads single rows and texts. */
export const PUBLISHED_LAYOUT: SegmentLayout = {
  vectors: 'i8',
  vectorPageBytes: 512,
  rowPageBytes: 256,
  idBlockBytes: 256,
  metadataBlockBytes: 512,
  documentBlockBytes: 1024,
  smallBlocks: true,
}

/** How the sections of a segment are cut: for stores, where a request costs more than bytes, and for pages, where bytes cost. */

export interface SegmentLayout {
  /**
   * Variants of sections that take fewer bytes: vectors as i8 (`int8-vectors.ts`), rows of an ordinal alone, texts as
   * fragments (`fragments.ts`), compact lists and centroids (`ivf/compact-list.ts`), compressed lengths of documents.
   */
  isCompact: boolean
  vectorPageBytes: number
  rowPageBytes: number
  /** About the size of a page of terms of a word index. */
  termPageBytes: number
  /** Raw bytes of the blocks of texts; of fragments, `documentBlockBytes` is that of all columns. */
  idBlockBytes: number
  metadataBlockBytes: number
  documentBlockBytes: number
}

export const STORED_LAYOUT: SegmentLayout = {
  isCompact: false,
  vectorPageBytes: 4096,
  rowPageBytes: 4096,
  termPageBytes: 3_800,
  idBlockBytes: 32 * 1024,
  metadataBlockBytes: 32 * 1024,
  documentBlockBytes: 64 * 1024,
}

/** For collections that are published: a query reads single rows and texts. */
export const PUBLISHED_LAYOUT: SegmentLayout = {
  isCompact: true,
  vectorPageBytes: 512,
  rowPageBytes: 64,
  termPageBytes: 500,
  idBlockBytes: 0,
  metadataBlockBytes: 0,
  documentBlockBytes: 1536,
}

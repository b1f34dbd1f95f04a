import type { ObjectStore } from 'siltstone/internal'

const MIB = 1024 * 1024

/**
 * How much of a large object is read at once. Far away a request takes longer than its bytes; nearby large parts are only memory, which is
 * given back late.
 */
export const readBytesOf = ({ capabilities }: ObjectStore): number => (capabilities.isLocal ? MIB : 4 * MIB)

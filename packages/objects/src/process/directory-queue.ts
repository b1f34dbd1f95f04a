/** The queue of the processes on one directory through which they tell workers of changed objects. */
import { type Clock, openDirectoryQueue, type Queue, type Random } from 'siltstone/internal'

const NAME = 'objects-queue'
/** A message that makes its worker crash is bounded by the attempts of its object, not by the queue. */
const RECEIVES_AT_MOST = 1_000

/** Undefined without `create`, if no worker has ever run here: then nobody would read the messages. */
export const openObjectsQueue = (
  directory: string,
  options: { clock: Clock; random: Random; create: boolean },
): Promise<Queue | undefined> => openDirectoryQueue(directory, NAME, { ...options, maxReceiveCount: RECEIVES_AT_MOST })

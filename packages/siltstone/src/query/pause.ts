/** Lets other requests run. Long work awaits it between two slices. */
export type Pause = () => Promise<void>

/** Unique names. Neither kind is a fence: the order of the log comes from its numbers alone. */
export interface Ids {
  /** 26 characters, sortable by time of creation, monotonic within a process. */
  ulid(): string
  /** Version 4. */
  uuid(): string
}

/** Fresh names. Neither kind is a fence; order in the log comes from numbers alone. */
export interface Ids {
  /** 26 characters, sortable by the time they were made, monotonic within a process. */
  ulid(): string
  /** Version 4. */
  uuid(): string
}

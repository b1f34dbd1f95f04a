import { invalid, type SiltstoneError } from '../errors.ts'

/** For a `write` or `complete` on an upload that was completed or aborted. */
export function uploadEnded(): SiltstoneError {
  return invalid('upload-ended', 'This upload was completed or aborted before: start a new one.')
}

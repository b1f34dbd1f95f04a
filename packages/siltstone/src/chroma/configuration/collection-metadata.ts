/** A collection's own metadata: scalars only. */
import { isSiltstoneError } from '../../errors.ts'
import { metadataFromJson } from '../../records/metadata-json.ts'
import { normaliseAdd } from '../../records/metadata.ts'
import { entriesOf } from '../../records/metadata-value.ts'
import { describe } from '../wire/fields.ts'
import { badShape, badValue } from '../wire/problem.ts'
import { wrongMetadataType } from '../wire/record-bodies.ts'

/** @returns exact JSON text. @throws ApiProblem 422 (types, null), SiltstoneError `invalid` (empty, keys, arrays) */
export function newCollectionMetadata(json: unknown, path: string): string | null {
  checkScalars(json, path)
  return read(json, path, 'add')
}

/** Reads the metadata of a PUT, which replaces the whole map; nulls are dropped. */
export function changedCollectionMetadata(json: unknown, path: string): { text: string | null } {
  checkScalars(json, path)
  return { text: normaliseAdd(read(json, path, 'patch')) }
}

function checkScalars(json: unknown, path: string): void {
  const entries = entriesOf(json)
  if (entries === null) throw badShape(path, `invalid type: ${describe(json)}, expected a map`)
  let empty = true
  for (const [key, value] of entries) {
    empty = false
    if (typeof value === 'object' && value !== null) {
      throw badValue(path, `the metadata of a collection holds scalars only, got a ${describe(value)} for '${key}'`)
    }
  }
  if (empty) throw badValue(path, 'Metadata cannot be empty')
}

function read(json: unknown, path: string, mode: 'add' | 'patch'): string | null {
  try {
    return metadataFromJson(json, path, mode)
  } catch (error) {
    if (!isSiltstoneError(error, 'invalid')) throw error
    throw error.code === 'metadata-type'
      ? wrongMetadataType(error.field ?? path, error.message)
      : badValue(path, error.message)
  }
}

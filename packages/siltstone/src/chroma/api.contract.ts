/** The promises of the HTTP API over any engine: one suite, run over the model and over the real engine. */
import { describe } from 'vitest'
import type { Engine } from '../model/store.ts'
import { catalogContract } from './contract/catalog.contract.ts'
import { collectionContract } from './contract/collections.contract.ts'
import { conditionalContract } from './contract/conditional.contract.ts'
import { errorContract } from './contract/errors.contract.ts'
import { functionContract } from './contract/functions.contract.ts'
import { readContract } from './contract/reads.contract.ts'
import { schemaContract } from './contract/schemas.contract.ts'
import { searchContract } from './contract/search.contract.ts'
import { searchRefusalsContract } from './contract/search-refusals.contract.ts'
import { systemContract } from './contract/system.contract.ts'
import { writeContract } from './contract/writes.contract.ts'

/** @param makeEngine a fresh, empty store for every test */
export function describeChromaApi(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`Chroma API over ${name}`, () => {
    systemContract(makeEngine)
    catalogContract(makeEngine)
    collectionContract(makeEngine)
    schemaContract(makeEngine)
    writeContract(makeEngine)
    readContract(makeEngine)
    searchContract(makeEngine)
    searchRefusalsContract(makeEngine)
    functionContract(makeEngine)
    conditionalContract(makeEngine)
    errorContract(makeEngine)
  })
}

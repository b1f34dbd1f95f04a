import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { indexedEngine } from '../testing/folding-engine.ts'
import { ModelEngine } from '../testing/model.ts'
import { describeChromadbSearch } from './chromadb-search.contract.ts'

describeChromadbSearch('the model', async () => new ModelEngine())
describeChromadbSearch('the engine', () => StoreEngine.open({ env: memoryEnvironment() }))
describeChromadbSearch('the engine, everything indexed', () => indexedEngine())

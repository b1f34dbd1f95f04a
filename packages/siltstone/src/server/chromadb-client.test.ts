import { StoreEngine } from '../engine/engine.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { ModelEngine } from '../testing/model.ts'
import { describeChromadbClient } from './chromadb-client.contract.ts'

describeChromadbClient('the model', async () => new ModelEngine())
describeChromadbClient('the engine', () => StoreEngine.open({ env: memoryEnvironment() }))

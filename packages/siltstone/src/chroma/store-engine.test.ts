import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { indexedEngine } from '../testing/folding-engine.ts'
import { describeChromaApi } from './api.contract.ts'

describeChromaApi('the engine', () => StoreEngine.open({ env: memoryEnvironment() }))
describeChromaApi('the engine, everything indexed', () => indexedEngine())

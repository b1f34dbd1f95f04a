import { StoreEngine } from '../engine/engine.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { describeChromaApi } from './api.contract.ts'

describeChromaApi('the engine', () => StoreEngine.open({ env: memoryEnvironment() }))

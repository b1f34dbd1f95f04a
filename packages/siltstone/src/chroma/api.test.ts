import { ModelEngine } from '../testing/model.ts'
import { describeChromaApi } from './api.contract.ts'

describeChromaApi('the model', async () => new ModelEngine())

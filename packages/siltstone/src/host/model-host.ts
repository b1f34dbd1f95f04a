import type { ModelHost } from '../ports/model-host.ts'
import { connectBedrock } from './bedrock.ts'
import { loadOnnxModel } from './onnx-model.ts'
import { readPackageFiles } from './package-files.ts'

/** Models of this machine: installed packages, the AWS SDK and the ONNX runtime, each loaded when it is first used. */
export const systemModels: ModelHost = {
  readPackageFiles,
  connectBedrock: (connection) => connectBedrock(connection),
  loadOnnxModel: (options) => loadOnnxModel(options),
}

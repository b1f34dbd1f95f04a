/** What local and remote embedding models need of the machine; `host/model-host.ts` implements it. */

/** @throws see `ModelHost.readPackageFiles` */
export type ReadPackageFiles = (
  packageName: string,
  files: readonly string[],
  options?: PackageFilesOptions,
) => Promise<Uint8Array[]>

export interface PackageFilesOptions {
  /** Read the files here instead of in the installed package: for bundles that carry no `node_modules`. */
  directory?: string
}

export interface BedrockConnection {
  /** Default: the AWS environment's. */
  region?: string | undefined
  /** A profile of the shared AWS configuration files. */
  profile?: string | undefined
  /** Another endpoint: a VPC's, a test's. */
  endpoint?: string | undefined
}

export interface BedrockInvocation {
  modelId: string
  /** JSON. */
  body: string
}

/**
 * Sends one request to a model, without retries, and returns the JSON of its answer.
 * Rejects with SiltstoneError: `unavailable` when a repetition may help, another kind when not. When the signal aborts
 * the request, the kind of error is not specified.
 */
export type InvokeModel = (invocation: BedrockInvocation, signal: AbortSignal) => Promise<string>

export interface OnnxModelOptions {
  /** Holds `config.json`, `tokenizer.json`, `tokenizer_config.json` and `onnx/model.onnx`. */
  directory: string
  /** Which weights: `fp32` is `onnx/model.onnx`, `q8` is `onnx/model_quantized.onnx`. Default `fp32`. */
  dtype?: 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | undefined
  /** Default `mean`. */
  pooling?: 'mean' | 'cls' | undefined
  /** To unit length. Default true. */
  normalize?: boolean | undefined
}

/** Row-major, one row per text. @throws SiltstoneError `unsupported` (embedding-model-failed) */
export type ExtractFeatures = (texts: string[]) => Promise<{ data: Float32Array; rows: number; dimension: number }>

export interface ModelHost {
  /**
   * Reads files that an installed package exports by name.
   * @throws SiltstoneError `unsupported` (package-missing) when the package or its export is not installed,
   *   `unavailable` (package-file-unreadable) when a file cannot be read
   */
  readPackageFiles: ReadPackageFiles
  /** @throws SiltstoneError `unsupported` (package-missing) */
  connectBedrock(connection: BedrockConnection): Promise<InvokeModel>
  /**
   * Loads a sentence encoder from a directory; nothing is downloaded.
   * @throws SiltstoneError `unsupported` (package-missing; embedding-model-missing when a file is missing or unreadable)
   */
  loadOnnxModel(options: OnnxModelOptions): Promise<ExtractFeatures>
}

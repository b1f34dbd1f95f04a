/** English speech into text: a model, and whisper.cpp for this platform, which runs it. */
export { modelPath } from './model-file.ts'
export { loadRuntime, type WhisperContext, type WhisperRuntime } from './runtime.ts'

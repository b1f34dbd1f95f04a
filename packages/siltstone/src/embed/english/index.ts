export { ENGLISH_MODEL, ENGLISH_NAME, EnglishEmbedder, type EnglishEmbedderOptions } from './embedder.ts'
export { loadEnglishModel } from './load.ts'

// Asks Chroma's JavaScript client for its English stems and its `chroma_bm25` vectors: see run.sh.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [folder, stemsPath, vectorsPath] = process.argv.slice(2)
const require = createRequire(`${folder}/`)
const { ChromaBm25EmbeddingFunction } = await import(pathToFileURL(require.resolve('@chroma-core/chroma-bm25')))
const stemmer = require('snowball-stemmers').newStemmer('english')
const stems = JSON.parse(readFileSync(stemsPath, 'utf8'))
writeFileSync(stemsPath, JSON.stringify(stems.map(([word, , current]) => [word, stemmer.stem(word), current])))
const cases = JSON.parse(readFileSync(vectorsPath, 'utf8'))
const vectors = await new ChromaBm25EmbeddingFunction().generate(cases.map(({ text }) => text))
writeFileSync(vectorsPath, JSON.stringify(cases.map((it, i) => ({ ...it, javascript: vectors[i] }))))

import { type Command } from 'commander'
import { embeddingMissing, EmbeddingStore } from '../../embed/store.ts'
import { contentId } from '../../embed/stored-embedding.ts'
import { embeddingKey } from '../../format/keys.ts'
import { vector } from '../arguments.ts'
import { command, group } from '../command.ts'
import { type CommonOptions, Session, withEmbedders, withStoreOptions } from '../session.ts'

const storeOf = ({ env, out }: Session) => new EmbeddingStore({ store: env.store, log: out.logger })

function generateCommand(): Command {
  const made = command('generate <text>', 'print the embedding of a text; a stored one is read, a new one stored', [
    'embeddings generate "Silt settles." --id doc-1',
    'embeddings generate "Silt settles." --no-store --json',
  ])
  return withEmbedders(withStoreOptions(made))
    .option('--id <id>', 'id to store it under; default: a hash of model and text')
    .option('--no-store', 'store nothing')
    .action((text: string, options: CommonOptions & { id?: string; store: boolean }) =>
      Session.use(options, { create: true }, async (session) => {
        const embedder = session.registry.default
        const store = storeOf(session)
        const id = options.id ?? contentId(embedder.model, text)
        const found = options.store
          ? await store.getOrGenerate(id, text, embedder)
          : await store.find(id, text, embedder.model)
        const embedding = found?.embedding ?? ((await embedder.embed([text]))[0] as Float32Array)
        await session.out.answer(
          { id, model: embedder.model, dimension: embedding.length, embedding, key: found?.key ?? null },
          () => `${numbers(embedding)}\n`,
        )
      }),
    )
}

function getCommand(): Command {
  return withStoreOptions(
    command('get <id>', 'print a stored embedding', ['embeddings get doc-1', 'embeddings get doc-1 --json']),
  ).action((id: string, options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const found = await storeOf(session).get(id)
      if (found === undefined) throw embeddingMissing(id)
      const { embedding, model = null, key } = found
      await session.out.answer(
        { id, model, dimension: embedding.length, embedding, key },
        () => `${numbers(embedding)}\n`,
      )
    }),
  )
}

function putCommand(): Command {
  return withStoreOptions(
    command('put <id>', 'store an embedding, or replace it', ['embeddings put doc-1 --vector 0.1,0.2,0.3']),
  )
    .requiredOption('--vector <numbers>', 'the embedding, comma-separated', vector)
    .option('--model <name>', 'model that made it')
    .option('--no-compress', 'store plain JSON, for readers that do not decompress')
    .action((id: string, options: CommonOptions & { vector: Float32Array; model?: string; compress: boolean }) =>
      Session.use(options, { create: true }, async (session) => {
        const { vector: embedding, model, compress: compressed } = options
        const key = embeddingKey(id, compressed)
        await storeOf(session).put({ id, embedding, model, compressed })
        await session.out.answer({ id, dimension: embedding.length, key }, () => `Stored ${key}.\n`)
      }),
    )
}

function deleteCommand(): Command {
  return withStoreOptions(
    command('delete <ids...>', 'delete stored embeddings; missing ones are no error', ['embeddings delete doc-1']),
  ).action((ids: string[], options: CommonOptions) =>
    Session.use(options, { create: false }, async (session) => {
      const store = storeOf(session)
      for (const id of ids) await store.delete(id)
      await session.out.answer({ deleted: ids }, () => `Deleted ${ids.join(', ')}.\n`)
    }),
  )
}

const numbers = (embedding: Float32Array): string => Array.from(embedding, (x) => String(x)).join(',')

export function embeddingsCommand(): Command {
  return group('embeddings', 'generate, read, store and delete embeddings by id', [
    generateCommand(),
    getCommand(),
    putCommand(),
    deleteCommand(),
  ])
}

import { invalid, metadataFromJson, notFound } from 'siltstone/internal'
import { z } from 'zod'
import { collectionName } from '../filter.ts'
import { embedOne, open } from '../scope.ts'
import { answer } from '../text.ts'
import { defineTool } from '../tool.ts'

export const updateTool = defineTool({
  name: 'update',
  title: 'Change a record',
  description: 'Replaces the text of a record, or changes keys of its metadata; null removes a key.',
  input: z.object({
    collection: collectionName,
    id: z.string().min(1),
    text: z.string().min(1).max(1_000_000).optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async run(scope, { collection: name, id, text, metadata }) {
    if (text === undefined && metadata === undefined)
      throw invalid('nothing-to-change', 'Give text or metadata: there is nothing to change.')
    const collection = await open(scope, name)
    const patch = metadataFromJson(metadata, 'metadata', 'patch', 'plain')
    const { ids, version: before } = await collection.get({ ids: [id], include: {} })
    if (ids.length === 0)
      throw notFound(
        'id-missing',
        `There is no record [${id}] in ${name}. Use search or get to find its id, or remember to store a new one.`,
      )
    const vector = text === undefined ? null : await embedOne(scope, collection, text)
    const { version } = await collection.write([
      { op: 'update', id, vector, document: text ?? null, metadata: patch, uri: null },
    ])
    return answer({ collection: name, id, version, version_before: before }, [
      `Changed [${id}] in ${name}: version ${version}; before it was version ${before}.`,
    ])
  },
})

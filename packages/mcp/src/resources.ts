/** Collections and records as resources. */
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { notFound } from 'siltstone/internal'
import { infoOf, open, type Scope, visible } from './scope.ts'
import { plainMetadata } from './text.ts'
import { describeCollection } from './tools/collections.ts'
import { problemText } from './tool.ts'
import { collectionUri } from './uri.ts'

const LISTED = 100

export function registerResources(server: McpServer, scope: Scope): void {
  server.registerResource(
    'collection',
    new ResourceTemplate('siltstone://{collection}', {
      list: async () => ({
        resources: (await visible(scope, { limit: LISTED })).map(({ name }) => ({
          name,
          uri: collectionUri(name),
          mimeType: 'application/json',
        })),
      }),
    }),
    {
      title: 'A collection',
      description: 'Description, fields and counts of a collection',
      mimeType: 'application/json',
    },
    async (uri, variables) =>
      contents(scope, uri, 'application/json', async () => {
        const info = await infoOf(scope, variable(variables, 'collection'))
        return JSON.stringify(await describeCollection(scope, info))
      }),
  )
  server.registerResource(
    'record',
    new ResourceTemplate('siltstone://{collection}/{id}', { list: undefined }),
    { title: 'A record', description: 'The whole document of a record', mimeType: 'text/plain' },
    async (uri, variables) =>
      contents(scope, uri, 'text/plain', async () => {
        const collection = await open(scope, variable(variables, 'collection'))
        const id = variable(variables, 'id')
        const { ids, documents, metadatas } = await collection.get({
          ids: [id],
          include: { documents: true, metadatas: true },
        })
        if (ids.length === 0) throw notFound('id-missing', `There is no record [${id}] in ${collection.info.name}.`)
        return documents?.[0] ?? JSON.stringify(plainMetadata(metadatas?.[0] ?? null))
      }),
  )
}

function variable(variables: Record<string, string | string[]>, name: string): string {
  const value = variables[name]
  return decodeURIComponent(Array.isArray(value) ? value.join(',') : (value ?? ''))
}

async function contents(scope: Scope, uri: URL, mimeType: string, work: () => Promise<string>) {
  try {
    return { contents: [{ uri: uri.href, mimeType, text: await work() }] }
  } catch (error) {
    throw new Error(problemText(scope, error), { cause: error })
  }
}

/**
 * What an agent does with a memory: it remembers, searches, changes its mind, and reads what it knew before. Here a program
 * plays the agent, with the SDK's client; editors and other clients start the same command themselves.
 */
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

const [command = 'npx', ...args] = (process.env['SILTSTONE'] ?? 'npx siltstone').split(' ')
const agent = new Client({ name: 'example', version: '1.0.0' })
await agent.connect(
  new StdioClientTransport({
    command,
    args: [...args, 'mcp', '--data', process.env['DATA'] ?? './memory', '--allow-create', '--no-compaction'],
    stderr: 'inherit',
  }),
)

async function call<T>(name: string, input: Record<string, unknown>): Promise<T> {
  const { structuredContent, content, isError } = await agent.callTool({ name, arguments: input })
  if (isError) throw new Error(JSON.stringify(content))
  return structuredContent as T
}

interface Hits {
  version: number
  hits: { id: string; snippet: string }[]
}
const ask = async (query: string, more: Record<string, unknown> = {}) => {
  const { hits } = await call<Hits>('search', { collection: 'user', query, limit: 1, ...more })
  console.log(`${query} → ${hits[0]?.snippet ?? 'nothing'}`)
}

const { tools } = await agent.listTools()
console.log(`tools: ${tools.map(({ name }) => name).join(', ')}`)
await call('remember', { collection: 'user', id: 'coffee', text: 'She drinks coffee without milk.' })
await call('remember', { collection: 'user', id: 'train', text: 'She takes the early train on Mondays.' })
await ask('How does she like her coffee?')

const { version } = await call<Hits>('search', { collection: 'user', query: 'coffee' })
await call('update', { collection: 'user', id: 'coffee', text: 'She drinks tea now, no coffee any more.' })
await ask('How does she like her coffee?')
await ask('How does she like her coffee?', { at: version })
await agent.close()

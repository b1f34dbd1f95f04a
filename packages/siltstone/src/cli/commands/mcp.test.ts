import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

it('siltstone mcp speaks to a client over stdin and stdout, and keeps what it is told', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'siltstone-mcp-'))
  const connect = async (mode: 'legacy' | 'auto', ...more: string[]) => {
    const args = [MAIN, 'mcp', '--data', join(directory, 'memory'), '--no-compaction', ...more]
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' }))
    return client
  }
  try {
    const first = await connect('legacy', '--allow-create')
    const stored = await first.callTool({ name: 'remember', arguments: { collection: 'notes', text: 'Silt settles.' } })
    expect(stored.structuredContent).toMatchObject({ created: true, version: 1 })
    await first.close()
    const second = await connect('auto', '--read-only', '--tool-prefix', 'my_')
    expect((await second.listTools()).tools.map(({ name }) => name)).toEqual(['my_collections', 'my_search', 'my_get'])
    const found = await second.callTool({ name: 'my_search', arguments: { collection: 'notes', query: 'mud' } })
    expect(found.structuredContent).toMatchObject({ hits: [{ snippet: 'Silt settles.' }] })
    await second.close()
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

/** One tool: its schema, and what it does within a scope. */
import type { CallToolResult, McpServer, StandardSchemaWithJSON, ToolAnnotations } from '@modelcontextprotocol/server'
import { isSiltstoneError } from 'siltstone/internal'
import type { z } from 'zod'
import type { Scope } from './scope.ts'

export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  name: string
  title: string
  description: string
  input: Input
  annotations: ToolAnnotations
  run(scope: Scope, args: z.output<Input>): Promise<CallToolResult>
}

export function defineTool<Input extends z.ZodObject>(tool: Tool<Input>): (server: McpServer, scope: Scope) => void {
  return (server, scope) => {
    const { title, description, input, annotations } = tool
    server.registerTool(
      `${scope.toolPrefix ?? ''}${tool.name}`,
      { title, description, inputSchema: input as StandardSchemaWithJSON, annotations },
      // The SDK has parsed the arguments with this schema.
      async (args: unknown) => attempt(scope, () => tool.run(scope, args as z.output<Input>)),
    )
  }
}

/** A failure is told wholly in the text: some clients drop everything else. */
async function attempt(scope: Scope, work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work()
  } catch (error) {
    return { isError: true, content: [{ type: 'text', text: problemText(scope, error) }] }
  }
}

export function problemText(scope: Scope, error: unknown): string {
  if (isSiltstoneError(error)) {
    const again = error.kind === 'unavailable' ? ' Try again in a moment.' : ''
    return `${error.message} (${error.code})${again}`
  }
  scope.onError(error)
  return 'The server failed. Its log has the cause.'
}

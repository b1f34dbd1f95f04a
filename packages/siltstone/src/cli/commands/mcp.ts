/**
 * `siltstone mcp`: a Model Context Protocol server at the standard streams of this process. The protocol is in
 * `@siltstone/mcp`, which users install when they need it.
 */
import { type Command, Option } from 'commander'
import { Compaction } from '../../library/compaction.ts'
import { onStopSignal } from '../../host/process.ts'
import { loadMcp } from '../../server/mcp.ts'
import { jsonLogger } from '../../server/logging.ts'
import { command } from '../command.ts'
import { noMetrics } from '../../ports/telemetry.ts'
import { type CommonOptions, Session, withEmbedders, withStoreOptions } from '../session.ts'

export interface McpOptions extends CommonOptions {
  collection?: string[]
  readOnly?: boolean
  allowCreate?: boolean
  toolPrefix?: string
  compaction: boolean
}

export function mcpCommand(): Command {
  const made = command('mcp', 'serve the store to an AI agent over the Model Context Protocol, on stdin and stdout', [
    'mcp --data ./memory --allow-create',
    'mcp --data ./data --collection docs,notes --read-only',
  ])
  return withEmbedders(withStoreOptions(made))
    .addOption(
      new Option('--collection <names>', 'only these collections, comma-separated; default: all').argParser((text) =>
        text.split(',').map((name) => name.trim()),
      ),
    )
    .option('--read-only', 'only the tools that read')
    .option('--allow-create', 'let the agent create collections')
    .option('--tool-prefix <prefix>', 'stands before the names of the tools, where a client has several stores')
    .option('--no-compaction', 'leave compaction to other processes')
    .addHelpText(
      'after',
      '\nA client starts this command itself. Needs the package @siltstone/mcp. Over HTTP: "siltstone serve --mcp".',
    )
    .action(serve)
}

/** stdout belongs to the protocol, so warnings are log lines on stderr. */
async function serve(options: McpOptions): Promise<void> {
  const mcp = await loadMcp('"siltstone mcp"')
  const log = jsonLogger({ level: 'warn' })
  const readOnly = options.readOnly === true
  await Session.use(options, { create: !readOnly }, async ({ engine, env, registry }) => {
    const compaction =
      options.compaction && !readOnly
        ? new Compaction({
            directory: options.data,
            allowNetworkFilesystem: false,
            clock: env.clock,
            random: env.random,
            log,
            metrics: noMetrics,
            onCommit: (path) => void engine.followCommit(path),
          })
        : undefined
    const stop = new AbortController()
    const stopListening = onStopSignal(() => stop.abort())
    try {
      await mcp.serveStandardStreams(
        {
          engine,
          maintenance: engine.maintenance,
          embedderFor: async (info) =>
            registry.forCollection({
              embeddingFunction: info.configuration['embedding_function'],
              dimension: info.dimension,
            }),
          tenant: options.tenant,
          database: options.database,
          collections: options.collection,
          canWrite: !readOnly,
          allowCreate: options.allowCreate === true,
          toolPrefix: options.toolPrefix,
          nowMs: () => env.clock.nowMs(),
          onError: (error) => log.error('mcp_failed', { error }),
        },
        stop.signal,
      )
    } finally {
      stopListening()
      await compaction?.close()
    }
  })
}

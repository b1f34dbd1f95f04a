/**
 * A minimal Pulumi engine for tests: it serves the monitor with which a program registers its resources, and runs the
 * program through Pulumi's own entry point for Node. It has no command line, no plugins, no state, and no network except
 * 127.0.0.1. It lacks the checks and diffs of the providers, updates and deletions.
 *
 * The protocol's stubs are internal to @pulumi/pulumi, so its version is pinned exactly.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import grpc from '@grpc/grpc-js'
import emptyProto from 'google-protobuf/google/protobuf/empty_pb.js'
import structProto from 'google-protobuf/google/protobuf/struct_pb.js'
import engineRpc from '@pulumi/pulumi/proto/engine_grpc_pb.js'
import engineProto from '@pulumi/pulumi/proto/engine_pb.js'
import type providerProto from '@pulumi/pulumi/proto/provider_pb.js'
import resourceRpc from '@pulumi/pulumi/proto/resource_grpc_pb.js'
import resourceProto from '@pulumi/pulumi/proto/resource_pb.js'
import { holdsSecret, plain, type Registered, type Resource } from './resource.ts'

/** Stands for a provider's plugin. */
export interface Provider {
  /** Creates the resource; returns its id and its outputs besides the inputs. */
  create(resource: Registered): Promise<{ id: string; state: Record<string, unknown> }>
  /** Answers a data source. */
  invoke(token: string, args: Record<string, unknown>): Promise<Record<string, unknown>>
}

export interface ProgramOptions {
  /** The project's folder. */
  directory: string
  /** The program's file in that folder. */
  program: string
  project: string
  stack: string
  /** `project:key` → value; objects as JSON, as Pulumi keeps them. */
  config: Record<string, string>
  /** Keys of `config` that are secrets. */
  secretConfig?: readonly string[]
  /** As in a preview: resources that do not exist yet have no id and no outputs. */
  dryRun?: boolean
  provider: Provider
}

export interface Run {
  resources: Resource[]
  outputs: Record<string, unknown>
}

const SUPPORTED = new Set(['secrets', 'resourceReferences', 'aliasSpecs'])
const { Empty } = emptyProto
const { Struct } = structProto
/** Differs from InvokeResponse of the providers' protocol in some versions; the stub has its own. */
const { responseType: InvokeResponse } = resourceRpc.ResourceMonitorService.invoke as unknown as {
  responseType: typeof providerProto.InvokeResponse
}
type JsonObject = Parameters<typeof Struct.fromJavaScript>[0]

/** @throws Error with the program's own messages when it fails, and for two resources with the same name */
export async function runProgram(options: ProgramOptions): Promise<Run> {
  const engine = new Engine(options)
  const server = new grpc.Server()
  server.addService(resourceRpc.ResourceMonitorService, engine.monitor())
  server.addService(engineRpc.EngineService, engine.services())
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  try {
    await execute(options, `127.0.0.1:${port}`, engine)
  } finally {
    server.forceShutdown()
  }
  return { resources: engine.resources, outputs: engine.outputs }
}

async function execute(options: ProgramOptions, address: string, engine: Engine): Promise<void> {
  const { directory, project, stack, config, dryRun = false } = options
  const entry = createRequire(join(directory, 'package.json')).resolve('@pulumi/pulumi/cmd/run')
  const flags = { monitor: address, engine: address, project, stack, pwd: directory, 'root-directory': directory }
  const args = [...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value])]
  args.push('--organization', 'organization', '--parallel', '16', ...(dryRun ? ['--dry-run'] : []), options.program)
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: directory,
    env: {
      ...process.env,
      NO_COLOR: '1',
      // Half of the time of a run is the compilation of the cloud's types and of Pulumi.
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'siltstone-pulumi-compiled'),
      PULUMI_CONFIG: JSON.stringify(config),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(options.secretConfig ?? []),
      PULUMI_NODEJS_TYPESCRIPT: 'false',
      PULUMI_NODEJS_PROJECT: project,
      PULUMI_NODEJS_STACK: stack,
    },
  })
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (output += data.toString()))
  // A failed program takes long to print the error's objects; the message has arrived before that.
  engine.onFailure = () => child.kill('SIGKILL')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (engine.failures.length > 0) throw new Error(engine.failures.join('\n'))
  if (code !== 0) throw new Error(`the program ended with code ${code}:\n${output}`)
}

class Engine {
  readonly resources: Resource[] = []
  readonly failures: string[] = []
  outputs: Record<string, unknown> = {}
  onFailure: () => void = () => {}
  readonly #options: ProgramOptions
  readonly #urns = new Set<string>()
  #root = ''

  constructor(options: ProgramOptions) {
    this.#options = options
  }

  monitor(): grpc.UntypedServiceImplementation {
    return complete(resourceRpc.ResourceMonitorService, {
      supportsFeature: unary(async (request: resourceProto.SupportsFeatureRequest) => {
        const answer = new resourceProto.SupportsFeatureResponse()
        answer.setHassupport(SUPPORTED.has(request.getId()))
        return answer
      }),
      registerResource: unary((request: resourceProto.RegisterResourceRequest) => this.#register(request)),
      registerResourceOutputs: unary(async (request: resourceProto.RegisterResourceOutputsRequest) => {
        const outputs = plain(toObject(request.getOutputs())) as Record<string, unknown>
        if (request.getUrn() === this.#root) this.outputs = outputs
        const registered = this.resources.find(({ urn }) => urn === request.getUrn())
        if (registered !== undefined) registered.outputs = outputs
        return new Empty()
      }),
      invoke: unary(async (request: resourceProto.ResourceInvokeRequest) => {
        const args = plain(toObject(request.getArgs())) as Record<string, unknown>
        const found = await this.#options.provider.invoke(request.getTok(), args)
        const answer = new InvokeResponse()
        answer.setReturn(Struct.fromJavaScript(found as JsonObject))
        return answer
      }),
      registerPackage: unary(async () => {
        const answer = new resourceProto.RegisterPackageResponse()
        answer.setRef('package')
        return answer
      }),
      signalAndWaitForShutdown: unary(async () => new Empty()),
    })
  }

  services(): grpc.UntypedServiceImplementation {
    return complete(engineRpc.EngineService, {
      log: unary(async (request: engineProto.LogRequest) => {
        if (request.getSeverity() === engineProto.LogSeverity.ERROR) this.#fail(request.getMessage())
        return new Empty()
      }),
      getRootResource: unary(async () => {
        const answer = new engineProto.GetRootResourceResponse()
        answer.setUrn(this.#root)
        return answer
      }),
      setRootResource: unary(async (request: engineProto.SetRootResourceRequest) => {
        this.#root = request.getUrn()
        return new engineProto.SetRootResourceResponse()
      }),
      requirePulumiVersion: unary(async () => new engineProto.RequirePulumiVersionResponse()),
    })
  }

  async #register(request: resourceProto.RegisterResourceRequest): Promise<resourceProto.RegisterResourceResponse> {
    const wire = toObject(request.getObject())
    const { stack, project, dryRun = false, provider } = this.#options
    const type = request.getType()
    const urn = `urn:pulumi:${stack}::${project}::${qualified(request.getParent(), type)}::${request.getName()}`
    if (this.#urns.has(urn)) throw this.#fail(`Duplicate resource URN '${urn}'`)
    this.#urns.add(urn)
    const registered: Registered = {
      urn,
      type,
      name: request.getName(),
      custom: request.getCustom(),
      parent: request.getParent(),
      inputs: plain(wire) as Record<string, unknown>,
      secrets: Object.keys(wire).filter((key) => holdsSecret(wire[key])),
      dependencies: request.getDependenciesList(),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      ignoreChanges: request.getIgnorechangesList(),
    }
    const answer = new resourceProto.RegisterResourceResponse()
    answer.setUrn(urn)
    let made = { id: '', state: {} }
    if (registered.custom && !dryRun) {
      made = await provider.create(registered).catch((error: unknown) => {
        throw this.#fail(`${urn}: ${error instanceof Error ? error.message : String(error)}`)
      })
      answer.setId(made.id)
    }
    const state = { ...registered.inputs, ...made.state }
    // Archives and secrets are returned unchanged: the program does not read them.
    answer.setObject(Struct.fromJavaScript({ ...wire, ...made.state } as JsonObject))
    this.resources.push({ ...registered, id: made.id, state, outputs: {} })
    return answer
  }

  #fail(message: string): Error {
    this.failures.push(message)
    // Gives the other messages of the same failure time to arrive.
    setTimeout(() => this.onFailure(), 200).unref()
    return new Error(message)
  }
}

function toObject(struct: { toJavaScript(): Record<string, unknown> } | undefined): Record<string, unknown> {
  return struct?.toJavaScript() ?? {}
}

/** `parent$type`: the URN names a resource's types from the stack down. */
function qualified(parent: string, type: string): string {
  const above = parent.split('::')[2] ?? ''
  return above === '' || above === 'pulumi:pulumi:Stack' ? type : `${above}$${type}`
}

type Method = grpc.handleUnaryCall<unknown, unknown>

/** @param answer receives the message of the method */
function unary(answer: (request: never) => Promise<unknown>): Method {
  return (call, callback) => {
    void respond(answer(call.request as never), callback)
  }
}

async function respond(answer: Promise<unknown>, callback: grpc.sendUnaryData<unknown>): Promise<void> {
  let value: unknown
  try {
    value = await answer
  } catch (error) {
    callback({ code: grpc.status.UNKNOWN, message: error instanceof Error ? error.message : String(error) })
    return
  }
  callback(null, value)
}

/** The other methods are answered as unimplemented: the program works without them, or fails and names the method. */
function complete(service: object, methods: Record<string, Method>): grpc.UntypedServiceImplementation {
  return Object.fromEntries(
    Object.keys(service).map((name) => [
      name,
      methods[name] ??
        ((_call: unknown, callback: grpc.sendUnaryData<unknown>) =>
          callback({ code: grpc.status.UNIMPLEMENTED, message: `the test engine has no ${name}` })),
    ]),
  )
}

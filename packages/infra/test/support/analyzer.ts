/** Serves the policy pack as `pulumi preview --policy-pack` does, and lets it analyse stacks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import structProto from 'google-protobuf/google/protobuf/struct_pb.js'
import analyzerRpc from '@pulumi/pulumi/proto/analyzer_grpc_pb.js'
import analyzerProto from '@pulumi/pulumi/proto/analyzer_pb.js'
import type { Declared } from '../../policy-pack/rule.ts'

const PACK = fileURLToPath(new URL('../../policy-pack', import.meta.url))

export interface Diagnostic {
  policy: string
  message: string
  mandatory: boolean
}

function serve(): { child: ChildProcess; port: Promise<string> } {
  const entry = createRequire(import.meta.url).resolve('@pulumi/pulumi/cmd/run-policy-pack')
  // The first argument is the engine's address; the pack does not call it.
  const child = spawn(process.execPath, [entry, '127.0.0.1:1', `${PACK}/index.mjs`], { cwd: PACK })
  let output = ''
  const port = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString()
      const found = /^(\d+)\r?\n/m.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.stderr.on('data', (data: Buffer) => (output += data.toString()))
    child.on('close', (code) => reject(new Error(`the pack ended with code ${code}:\n${output}`)))
  })
  return { child, port }
}

function request(stack: readonly Declared[]): analyzerProto.AnalyzeStackRequest {
  const message = new analyzerProto.AnalyzeStackRequest()
  message.setResourcesList(
    stack.map(({ type, name, urn, props, protect }) => {
      const resource = new analyzerProto.AnalyzerResource()
      resource.setType(type)
      resource.setName(name)
      resource.setUrn(urn)
      const known = Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined))
      resource.setProperties(structProto.Struct.fromJavaScript(known as Record<string, never>))
      const options = new analyzerProto.AnalyzerResourceOptions()
      options.setProtect(protect)
      resource.setOptions(options)
      return resource
    }),
  )
  return message
}

/** The violations that the pack finds in each stack. */
export async function analyze(stacks: readonly (readonly Declared[])[]): Promise<Diagnostic[][]> {
  const { child, port } = serve()
  try {
    const client = new analyzerRpc.AnalyzerClient(`127.0.0.1:${await port}`, grpc.credentials.createInsecure())
    const answers: Diagnostic[][] = []
    for (const stack of stacks) {
      const answer = await new Promise<analyzerProto.AnalyzeResponse>((resolve, reject) => {
        client.analyzeStack(request(stack), (error, value) => (error === null ? resolve(value) : reject(error)))
      })
      answers.push(
        answer.getDiagnosticsList().map((each) => ({
          policy: each.getPolicyname(),
          message: each.getMessage(),
          mandatory: each.getEnforcementlevel() === analyzerProto.EnforcementLevel.MANDATORY,
        })),
      )
    }
    client.close()
    return answers
  } finally {
    child.kill('SIGKILL')
  }
}

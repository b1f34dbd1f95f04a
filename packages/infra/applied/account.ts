/** An emulated account on this machine, with the resources that the programs declare. */
import { existsSync } from 'node:fs'
import { FUNCTIONS } from '../src/names.ts'
import { type Run, runInfra } from '../src/testing/index.ts'
import { codeDirectory } from '../test/support/program.ts'
import { BUILT } from './built.ts'
import { type Clients, clients } from './clients.ts'
import { applyingProvider } from './provider/index.ts'
import { type RunningServer, startServer } from './server.ts'

export const REGION = 'us-east-1'
/** The server's administrator. */
const ROOT = { accessKeyId: 'test', secretAccessKey: 'test' }

/** Whether the functions are built; otherwise a placeholder lets their resources be created. */
export const functionsAreBuilt = [...FUNCTIONS, 'ingest', 'media', 'registry'].every((name) =>
  existsSync(`${BUILT}/${name}`),
)

export interface Account {
  server: RunningServer
  root: Clients
  admin: Run
  stack: Run
  stop(): Promise<void>
}

/** Starts a server and deploys `infra/bootstrap` and `infra/`. */
export async function deployed(stackName: string, config: Record<string, string> = {}): Promise<Account> {
  const server = await startServer()
  try {
    const root = clients({ ...server, region: REGION, credentials: ROOT })
    const provider = applyingProvider(root, REGION)
    const admin = await runInfra({
      program: 'bootstrap',
      stack: 'admin',
      provider,
      config: { githubRepository: 'owner/name', servers: 'true' },
    })
    const stack = await runInfra({
      stack: stackName,
      provider,
      config: {
        codeDirectory: functionsAreBuilt ? BUILT : codeDirectory(),
        permissionsBoundaryArn: String(admin.outputs['permissions_boundary_arn']),
        ...config,
        // Of this account: the server looks for the role.
        serverExecutionRoleArn: String(admin.outputs['server_execution_role_arn']),
      },
    })
    return { server, root, admin, stack, stop: () => server.stop() }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** What the command line touches outside itself, for tests that run it in their own process. */
import { vi } from 'vitest'

export interface Ran {
  code: number | null
  out: string
  err: string
}

/** What the running command gets, and what it answered so far. */
export const current: { ran: Ran; input: Uint8Array; environment: Record<string, string> } = {
  ran: { code: 0, out: '', err: '' },
  input: new Uint8Array(),
  environment: {},
}

/** Stands for `host/process.ts`. */
export async function mockedProcess(): Promise<object> {
  const actual = await vi.importActual<object>('../../host/process.ts')
  return {
    ...actual,
    endWhenOutputCloses: () => {},
    outTerminal: () => undefined,
    errorTerminal: () => undefined,
    environmentVariables: () => current.environment,
    writeOut: async (text: string | Uint8Array) => void (current.ran.out += Buffer.from(text).toString()),
    writeError: async (text: string) => void (current.ran.err += text),
    setExitCode: (code: number) => void (current.ran.code = code),
  }
}

/** Stands for `host/machine.ts`. */
export async function mockedMachine(): Promise<object> {
  const actual = await vi.importActual<object>('../../host/machine.ts')
  return {
    ...actual,
    async *stdinChunks() {
      yield current.input
    },
  }
}

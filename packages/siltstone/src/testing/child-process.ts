import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Child {
  pid: number
  /** Sends a message and waits for the answer; `{failed}` as an answer is an error. */
  ask<T>(message: string): Promise<T>
  /** Kills the process, as a crash would. */
  kill(): Promise<void>
  /** Disconnects from the process and waits until it has ended. */
  end(): Promise<void>
}

/** Starts a module that sends one message when it is ready, and then an answer to each message that it receives. */
export async function startChild(module: URL, args: readonly string[]): Promise<Child> {
  const child = fork(fileURLToPath(module), args, { execArgv: [] })
  const next = async (): Promise<unknown> => {
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`The child process ended with code ${String(code)}.`)
    })
    const [message] = (await Promise.race([once(child, 'message'), exited])) as [unknown]
    if (typeof message === 'object' && message !== null && 'failed' in message) throw new Error(String(message.failed))
    return message
  }
  await next()
  return {
    pid: child.pid as number,
    ask: async <T>(message: string) => {
      const answer = next()
      child.send(message)
      return (await answer) as T
    },
    kill: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
    end: async () => {
      const exited = once(child, 'exit')
      child.disconnect()
      child.kill()
      await exited
    },
  }
}

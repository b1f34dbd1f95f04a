/** Tries to create components one after the other, and outputs the error of each. */
import * as pulumi from '@pulumi/pulumi'
import { type ComponentName, make } from './components.ts'

const attempts = new pulumi.Config().requireObject<[ComponentName, object][]>('attempts')
export const refusals = attempts.map(([component, args], at) => {
  try {
    make(component, `attempt-${at}`, args)
    return 'accepted'
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
})

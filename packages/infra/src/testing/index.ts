export { awsProvider, type Place } from './aws-provider.ts'
export { type Provider, type ProgramOptions, type Run, runProgram } from './engine.ts'
export { registeredResources, type RegisteredOptions, runInfra } from './registered-resources.ts'
export { type Resource, UNKNOWN } from './resource.ts'

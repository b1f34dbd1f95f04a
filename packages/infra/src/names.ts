/**
 * Every name in the account is made here. Policies match these patterns, so no role may use a resource that is named
 * elsewhere.
 */
import { checkOneOf, checkPattern, InvalidArgument } from './errors.ts'

export const ENVIRONMENTS = ['dev', 'test', 'prod'] as const
/** Only a `dev` environment may be destroyed together with its data. */
export type Environment = (typeof ENVIRONMENTS)[number]

export const FUNCTIONS = ['producer', 'compactor', 'query', 'api'] as const
export type FunctionName = (typeof FUNCTIONS)[number]

export const BUCKET_PREFIX = 'chromadb-vectors-'
export const NAME_PREFIX = 'siltstone-'
/** Of secrets in Systems Manager, after the slash that begins their names. */
export const PARAMETER_PREFIX = 'siltstone/'
export const BOUNDARY_NAME = 'siltstone-runtime-boundary'
/** Roles of ECS that an administrator makes; deployers pass them, and cannot change them. */
export const SERVER_ROLES = {
  execution: 'server-siltstone-execution',
  infrastructure: 'server-siltstone-network',
} as const

/** Limit of an S3 bucket's name. */
const BUCKET_NAME_MAX = 63
const STACK_NAME_MAX = 24

/** Whether data is protected from deletion, and a bucket that holds objects cannot be destroyed. */
export const isProtected = (environment: Environment): boolean => environment !== 'dev'

export function checkEnvironment(value: string): Environment {
  return checkOneOf('environment', value, ENVIRONMENTS)
}

/** @throws InvalidArgument when it cannot be part of the names of AWS resources */
export function checkStack(stack: string): string {
  checkPattern(
    'stack',
    stack,
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/,
    'use lower-case letters, digits and dashes (it becomes part of the names of buckets and roles)',
  )
  if (stack.length > STACK_NAME_MAX)
    throw new InvalidArgument('stack', stack, `use at most ${STACK_NAME_MAX} characters`)
  return stack
}

export function checkAccount(account: string): string {
  return checkPattern('account', account, /^\d{12}$/, 'an AWS account id has 12 digits')
}

/** `chromadb-vectors-{stack}-{account}`, with `-{suffix}` for repeated tests of one stack. */
export function bucketName(stack: string, account: string, suffix?: string): string {
  checkStack(stack)
  checkAccount(account)
  if (suffix !== undefined) checkPattern('suffix', suffix, /^[a-z0-9]+$/, 'use lower-case letters and digits')
  const name = `${BUCKET_PREFIX}${stack}-${account}${suffix === undefined ? '' : `-${suffix}`}`
  if (name.length > BUCKET_NAME_MAX) {
    throw new InvalidArgument('suffix', suffix, `the bucket's name ${name} has more than ${BUCKET_NAME_MAX} characters`)
  }
  return name
}

/** `chromadb-vectors-{stack}-{account}-objects`, with the suffix of the stack at its end. */
export const objectBucketName = (stack: string, account: string, suffix = ''): string =>
  bucketName(stack, account, `objects${suffix}`)

/** What a bucket is named after instead of its stack, where a project keeps one bucket for each purpose. */
export interface PurposeNaming {
  project: string
  purpose: string
}

const nameParts = (field: string, value: string): string =>
  checkPattern(field, value, /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'use lower-case letters, digits and dashes')

export const checkProject = (project: string): string => nameParts('project', project)

/** `{project}-{environment}-vector-{purpose}`, with `-{suffix}` for repeated tests. */
export function purposeBucketName(naming: PurposeNaming, environment: Environment, suffix?: string): string {
  const purpose = nameParts('purpose', naming.purpose)
  if (suffix !== undefined) checkPattern('suffix', suffix, /^[a-z0-9]+$/, 'use lower-case letters and digits')
  const end = suffix === undefined ? '' : `-${suffix}`
  const name = `${checkProject(naming.project)}-${environment}-vector-${purpose}${end}`
  if (name.length > BUCKET_NAME_MAX) {
    throw new InvalidArgument(
      'purpose',
      purpose,
      `the bucket's name ${name} has more than ${BUCKET_NAME_MAX} characters`,
    )
  }
  return name
}

/** What the names of a project's buckets match in a policy. */
export const purposeBucketPattern = (project: string): string => `${checkProject(project)}-*-vector-*`

/** Recommended for Pulumi's state: `pulumi login s3://siltstone-state-{account}`. */
export const stateBucketName = (account: string): string => `${NAME_PREFIX}state-${checkAccount(account)}`

/**
 * @param project of buckets that are named by purpose
 * @throws InvalidArgument for a bucket of vectors, whose objects are denied to deployers
 */
export function checkStateBucket(bucket: string, project?: string): string {
  checkPattern('stateBucket', bucket, /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'use the name of a bucket')
  if (isVectorBucket(bucket, project))
    throw new InvalidArgument('stateBucket', bucket, 'deployers may touch no object of such buckets: use another name')
  return bucket
}

const isVectorBucket = (bucket: string, project?: string): boolean =>
  bucket.startsWith(BUCKET_PREFIX) ||
  (project !== undefined && bucket.startsWith(`${project}-`) && bucket.slice(project.length).includes('-vector-'))

export interface StackNames {
  queue: string
  deadLetterQueue: string
  lockTable: string
  functions: Record<FunctionName, string>
  /** `/aws/lambda/<function>` */
  logGroups: Record<FunctionName, string>
  /** The default embedder's model. */
  modelLayer: string
  /** Roles of the functions, named like them. */
  roles: Record<FunctionName, string>
  scheduleRole: string
  /** Objects of users: what notifies, what works, and what looks again. */
  ingest: {
    queue: string
    deadLetterQueue: string
    /** Of the function and its role. */
    function: string
    logGroup: string
    schedule: string
    scheduleRole: string
  }
  /** Recordings of users: the queue and the function of those that other functions hand over, and the tasks. */
  media: {
    queue: string
    deadLetterQueue: string
    /** Of the function and its role. */
    function: string
    logGroup: string
    cluster: string
    /** Family of the task definition. */
    task: string
    taskRole: string
    /** Not below `/aws/lambda`, where the functions' are. */
    taskLogGroup: string
  }
  /** The artifact registry: its function and role, and what starts its maintenance. */
  registry: {
    function: string
    logGroup: string
    schedule: string
    scheduleRole: string
  }
  /** Of the server in a container: its service, and the role of the process. */
  server: string
  /** Not below `/aws/lambda`, where the functions' are. */
  serverLogGroup: string
  schedule: string
  dashboard: string
  alarmTopic: string
  /** Parameters of Systems Manager. */
  parameters: {
    tokens: string
    openaiApiKey: string
    serverTokens: string
    registryAdminPassword: string
    registryHubToken: string
    registryGithubToken: string
  }
  /** What the names of alarms begin with. */
  alarmPrefix: string
}

/** Names of everything in a stack except its bucket. IAM is global: stacks in two regions of an account need two names. */
export function stackNames(stack: string): StackNames {
  const base = `${NAME_PREFIX}${checkStack(stack)}`
  const perFunction = (make: (name: FunctionName) => string): Record<FunctionName, string> => ({
    producer: make('producer'),
    compactor: make('compactor'),
    query: make('query'),
    api: make('api'),
  })
  return {
    queue: `${base}-delta`,
    deadLetterQueue: `${base}-delta-dead`,
    lockTable: `${base}-locks`,
    functions: perFunction((name) => `${base}-${name}`),
    logGroups: perFunction((name) => `/aws/lambda/${base}-${name}`),
    modelLayer: `${base}-model`,
    roles: perFunction((name) => `${base}-${name}`),
    scheduleRole: `${base}-schedule`,
    ingest: {
      queue: `${base}-ingest`,
      deadLetterQueue: `${base}-ingest-dead`,
      function: `${base}-ingest`,
      logGroup: `/aws/lambda/${base}-ingest`,
      schedule: `${base}-ingest-sweep`,
      scheduleRole: `${base}-ingest-schedule`,
    },
    media: {
      queue: `${base}-media`,
      deadLetterQueue: `${base}-media-dead`,
      function: `${base}-media`,
      logGroup: `/aws/lambda/${base}-media`,
      cluster: `${base}-media`,
      task: `${base}-media`,
      taskRole: `${base}-media-task`,
      taskLogGroup: `/${PARAMETER_PREFIX}${stack}/media`,
    },
    registry: {
      function: `${base}-registry`,
      logGroup: `/aws/lambda/${base}-registry`,
      schedule: `${base}-registry-maintain`,
      scheduleRole: `${base}-registry-schedule`,
    },
    server: `${base}-server`,
    serverLogGroup: `/${PARAMETER_PREFIX}${stack}/server`,
    schedule: `${base}-compact`,
    dashboard: `ChromaDB-${stack}`,
    alarmTopic: `${base}-alarms`,
    parameters: {
      tokens: `/${PARAMETER_PREFIX}${stack}/tokens`,
      openaiApiKey: `/${PARAMETER_PREFIX}${stack}/openai-api-key`,
      serverTokens: `/${PARAMETER_PREFIX}${stack}/server-tokens`,
      registryAdminPassword: `/${PARAMETER_PREFIX}${stack}/registry-admin-password`,
      registryHubToken: `/${PARAMETER_PREFIX}${stack}/registry-hub-token`,
      registryGithubToken: `/${PARAMETER_PREFIX}${stack}/registry-github-token`,
    },
    alarmPrefix: `${base}-`,
  }
}

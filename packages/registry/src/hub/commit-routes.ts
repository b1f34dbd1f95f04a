/**
 * Commits. A client first asks how to send each file (`preupload`): small ones travel in the body of the commit, as base64, large ones
 * and those that `.gitattributes` names by Git LFS. The body of a commit is one JSON object a line; it is read as a stream, and each file is stored as it comes.
 */
import { invalid, isSiltstoneError, notFound } from 'siltstone/internal'
import * as v from 'valibot'
import { parseFrontMatter, namedDatasets } from '../evidence/card.ts'
import { splitFrontMatter } from '../evidence/readme.ts'
import { json } from '../http/answers.ts'
import { check, linesOf, readJson } from '../http/body.ts'
import type { Route, SignedInCall } from '../http/route.ts'
import { MAX_README_CHARACTERS, type ReadmeFacts } from '../store/artifact-document.ts'
import type { CommitFile, FileCommit } from '../store/commits.ts'
import { lfsRulesOf } from './git-attributes.ts'
import {
  checkFileSize,
  checkWritable,
  commitOf,
  endpointOf,
  gitOidOf,
  type HubContext,
  pathPrefix,
  REPO_TYPES,
  type Repository,
  type RepoType,
  repositoryOf,
} from './context.ts'

/** Up to this size a file is sent in the body of the commit. */
export const MAX_REGULAR_BYTES = 10_000_000
/** Base64 of such a file, with some space for its path. */
const MAX_LINE_BYTES = 16_000_000
const MAX_FILES = 25_000
const MAX_ATTRIBUTES_BYTES = 100_000
const TRIES = 10

const preuploadSchema = v.object({
  files: v.pipe(
    v.array(v.object({ path: v.string(), size: v.pipe(v.number(), v.integer('is no integer')) })),
    v.maxLength(MAX_FILES, `has more than ${MAX_FILES} files`),
  ),
  /** Of the commit that is being made. */
  gitAttributes: v.nullish(v.string()),
})
const path = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const lineSchema = v.variant('key', [
  v.object({
    key: v.literal('header'),
    value: v.object({
      summary: v.nullish(v.string()),
      description: v.nullish(v.string()),
      parentCommit: v.nullish(v.string()),
    }),
  }),
  v.object({ key: v.literal('file'), value: v.object({ path, content: v.string(), encoding: v.nullish(v.string()) }) }),
  v.object({
    key: v.literal('lfsFile'),
    value: v.object({ path, oid: v.string(), size: v.number(), algo: v.nullish(v.string()) }),
  }),
  v.object({ key: v.literal('deletedFile'), value: v.object({ path }) }),
  v.object({ key: v.literal('deletedFolder'), value: v.object({ path }) }),
  v.object({
    key: v.literal('copyFile'),
    value: v.object({ path, srcPath: path, srcRevision: v.nullish(v.string()) }),
  }),
])

type Line = v.InferOutput<typeof lineSchema>
type Header = Extract<Line, { key: 'header' }>['value']
/** What a line does to the files; those of small files are stored already. */
type Step =
  | { kind: 'set'; path: string; file: CommitFile }
  | { kind: 'delete'; path: string }
  | { kind: 'delete-folder'; path: string }
  | { kind: 'copy'; path: string; from: string; revision: string | null }

export function commitRoutes(context: HubContext): Route[] {
  return REPO_TYPES.flatMap((type): Route[] => [
    {
      method: 'POST',
      path: `/api/${type}/{owner}/{name}/preupload/{revision}`,
      operation: 'preupload',
      access: 'upload',
      handle: (call) => preupload(context, call, type),
    },
    {
      method: 'POST',
      path: `/api/${type}/{owner}/{name}/commit/{revision}`,
      operation: 'commit',
      access: 'upload',
      handle: (call) => commit(context, call, type),
    },
  ])
}

/** A commit holds its regular files as base64, all in one body. */
function regularBytes({ bodyLimits }: HubContext): number {
  return Math.min(MAX_REGULAR_BYTES, (bodyLimits?.requestBytes ?? Number.POSITIVE_INFINITY) / 4)
}

/** The id of a file that is there, from git or by its SHA-256, lets clients leave out those that have not changed. */
async function preupload(context: HubContext, call: SignedInCall, type: RepoType): Promise<Response> {
  const repository = await repositoryOf(context, call, type)
  checkWritable(repository, call.session)
  const { files, gitAttributes } = await readJson(call.request, preuploadSchema)
  const head = await commitOf(context, repository, call.params['revision'] ?? 'HEAD')
  const isLfs = lfsRulesOf(gitAttributes ?? (await attributesOf(context, head)))
  return json({
    files: files.map(({ path: name, size }) => {
      const isLarge = size > regularBytes(context) || isLfs(name)
      const before = Object.hasOwn(head.files, name) ? head.files[name] : undefined
      // Here each client names its files, whatever it sends them by. One that is there in this size may not be sent at all.
      if (before?.sizeBytes !== size) checkFileSize(context, `the file ${name.slice(0, 200)}`, size, isLarge)
      const oid = (isLarge ? before?.sha256 : before?.gitOid) ?? null
      return { path: name, uploadMode: isLarge ? 'lfs' : 'regular', shouldIgnore: false, oid }
    }),
    commitOid: head.oid,
  })
}

async function attributesOf({ registry }: HubContext, { files }: FileCommit): Promise<string> {
  const file = files['.gitattributes']
  if (file === undefined || file.sizeBytes > MAX_ATTRIBUTES_BYTES) return ''
  return new TextDecoder().decode((await registry.blobs.get(file.sha256)) ?? new Uint8Array())
}

async function commit(context: HubContext, call: SignedInCall, type: RepoType): Promise<Response> {
  const { registry } = context
  const repository = await repositoryOf(context, call, type)
  checkWritable(repository, call.session)
  if (call.query.get('create_pr') === '1') {
    throw invalid('no-pull-requests', 'the registry has no pull requests: commit to a branch', { field: 'create_pr' })
  }
  const branch = (call.params['revision'] ?? 'main').replace(/^refs\/heads\//, '')
  await commitOf(context, repository, branch)
  const { header, steps } = await readSteps(context, call)
  const made = await apply(context, repository, branch, header, steps, call.session.user)
  const readme = made.files['README.md']
  const { user } = call.session
  if (branch === 'main') await describeMain(context, repository, readme, user)
  else await registry.artifacts.change(repository.artifact.id, user, 'UPDATE', (current) => ({ ...current }))
  const endpoint = endpointOf(call)
  return json({
    success: true,
    commitOid: made.oid,
    commitUrl: `${endpoint}/${pathPrefix(type)}${repository.id}/commit/${made.oid}`,
    hookOutput: '',
    pullRequestUrl: null,
  })
}

/** Puts the README into lists and search at once; what has to be asked of other services comes with the rating. */
async function describeMain(
  { registry }: HubContext,
  { artifact }: Repository,
  readme: CommitFile | undefined,
  by: string,
): Promise<void> {
  const bytes = readme === undefined ? undefined : await registry.blobs.get(readme.sha256)
  const text = new TextDecoder().decode(bytes ?? new Uint8Array())
  const { frontMatter } = splitFrontMatter(text)
  const card = frontMatter === undefined ? undefined : parseFrontMatter(frontMatter)
  const tag = card?.['pipeline_tag']
  const facts: ReadmeFacts = {
    readme_text: text.slice(0, MAX_README_CHARACTERS),
    pipeline_tag: typeof tag === 'string' ? tag : null,
    datasets: namedDatasets(card),
  }
  const changed = await registry.artifacts.change(artifact.id, by, 'UPDATE', (current) => ({
    ...current,
    data: { ...current.data, hf_data: [facts] },
  }))
  registry.rateLater(changed)
}

async function readSteps(
  { registry }: HubContext,
  { request }: SignedInCall,
): Promise<{ header: Header; steps: Step[] }> {
  let header: Header | undefined
  const steps: Step[] = []
  for await (const text of linesOf(request, MAX_LINE_BYTES)) {
    if (text.trim() === '') continue
    const line = parsed(text)
    if (line.key === 'header') {
      header = line.value
      continue
    }
    if (header === undefined) throw invalid('commit-header', 'the first line has to be the header', { field: 'body' })
    if (steps.length >= MAX_FILES)
      throw invalid('body-too-large', `a commit has at most ${MAX_FILES} files`, { field: 'body' })
    steps.push(await stepOf(registry.blobs, line))
  }
  if (header === undefined) throw invalid('commit-header', 'the commit has no header', { field: 'body' })
  return { header, steps }
}

function parsed(text: string): Line {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid('body-json', 'a line of the body is no JSON', { field: 'body', cause })
  }
  return check(lineSchema, value)
}

async function stepOf(blobs: HubContext['registry']['blobs'], line: Exclude<Line, { key: 'header' }>): Promise<Step> {
  switch (line.key) {
    case 'file': {
      const { encoding, content } = line.value
      const bytes = Buffer.from(content, encoding === 'utf-8' ? 'utf8' : 'base64')
      return { kind: 'set', path: line.value.path, file: { ...(await blobs.put(bytes)), gitOid: gitOidOf(bytes) } }
    }
    case 'lfsFile':
      return { kind: 'set', path: line.value.path, file: { sha256: line.value.oid, sizeBytes: line.value.size } }
    case 'deletedFile':
      return { kind: 'delete', path: line.value.path }
    case 'deletedFolder':
      return { kind: 'delete-folder', path: line.value.path.replace(/\/+$/, '') }
    case 'copyFile':
      return { kind: 'copy', path: line.value.path, from: line.value.srcPath, revision: line.value.srcRevision ?? null }
  }
}

/** Deletions of folders and copies are meant for the state that they were read at: if it has changed, they are worked out again. */
async function apply(
  context: HubContext,
  repository: Repository,
  branch: string,
  { summary, description, parentCommit }: Header,
  steps: readonly Step[],
  by: string,
): Promise<FileCommit> {
  const { commits, quotas } = context.registry
  const message = [summary ?? '', description ?? ''].filter((text) => text !== '').join('\n\n')
  for (let attempt = 0; ; attempt++) {
    const head = await commitOf(context, repository, branch)
    const parent = parentCommit ?? (steps.every(({ kind }) => kind === 'set') ? undefined : head.oid)
    try {
      const changes = await changesOf(context, repository, head, steps)
      const { id, createdBy } = repository.artifact
      return await quotas.adding(createdBy, { artifacts: 0, bytes: addedBytes(head, changes) }, () =>
        commits.commit(id, { branch, message, by, changes, ...(parent !== undefined && { parent }) }),
      )
    } catch (error) {
      const isStale = isSiltstoneError(error, 'conflict') && error.code === 'stale-parent'
      if (!isStale || parentCommit != null || attempt >= TRIES) throw error
    }
  }
}

/** Of contents that the version before does not have, each once. */
function addedBytes({ files }: FileCommit, changes: Readonly<Record<string, CommitFile | null>>): number {
  const before = new Set(Object.values(files).map(({ sha256 }) => sha256))
  const added = Object.values(changes).flatMap((file) => (file === null || before.has(file.sha256) ? [] : [file]))
  const sizes = new Map(added.map(({ sha256, sizeBytes }) => [sha256, sizeBytes]))
  return [...sizes.values()].reduce((sum, each) => sum + each, 0)
}

async function changesOf(
  context: HubContext,
  repository: Repository,
  head: FileCommit,
  steps: readonly Step[],
): Promise<Record<string, CommitFile | null>> {
  const changes = new Map<string, CommitFile | null>()
  for (const step of steps) {
    if (step.kind === 'set') changes.set(step.path, step.file)
    else if (step.kind === 'delete') changes.set(step.path, null)
    else if (step.kind === 'delete-folder') {
      for (const name of Object.keys(head.files)) if (name.startsWith(`${step.path}/`)) changes.set(name, null)
    } else {
      const { files } = step.revision === null ? head : await commitOf(context, repository, step.revision)
      const file = Object.hasOwn(files, step.from) ? files[step.from] : undefined
      if (file === undefined) throw notFound('entry-not-found', `Entry not found: ${step.from.slice(0, 200)}`)
      changes.set(step.path, file)
    }
  }
  return Object.fromEntries(changes)
}

/** Who one is, and making, describing, listing and deleting repositories. */
import { forbidden, invalid, isSiltstoneError } from 'siltstone/internal'
import * as v from 'valibot'
import { parseFrontMatter } from '../evidence/card.ts'
import { splitFrontMatter } from '../evidence/readme.ts'
import { empty, json } from '../http/answers.ts'
import { readJson } from '../http/body.ts'
import type { Route, SignedInCall } from '../http/route.ts'
import { isUlid } from '../store/keys.ts'
import type { FileCommit } from '../store/commits.ts'
import {
  artifactType,
  checkWritable,
  commitOf,
  endpointOf,
  fileEntry,
  gitOidOf,
  type HubContext,
  isRepositoryName,
  namedRepository,
  pathPrefix,
  REPO_TYPES,
  type Repository,
  type RepoType,
  repositoryOf,
} from './context.ts'

const repoSchema = v.object({
  name: v.pipe(v.string(), v.nonEmpty('must not be empty')),
  organization: v.nullish(v.string()),
  type: v.nullish(v.string()),
  private: v.nullish(v.boolean()),
  visibility: v.nullish(v.string()),
})
const settingsSchema = v.object({
  private: v.nullish(v.boolean()),
  visibility: v.nullish(v.string()),
  gated: v.nullish(v.union([v.boolean(), v.string()])),
})
const branchSchema = v.object({ startingPoint: v.nullish(v.string()) })
const tagSchema = v.object({ tag: v.pipe(v.string(), v.nonEmpty('must not be empty')) })

/** The first file of a repository, as the Hub makes it. */
const GIT_ATTRIBUTES = ['*.safetensors', '*.bin', '*.parquet', '*.arrow']
  .map((pattern) => `${pattern} filter=lfs diff=lfs merge=lfs -text\n`)
  .join('')

export function repositoryRoutes(context: HubContext): Route[] {
  return [
    { method: 'GET', path: '/api/whoami-v2', operation: 'whoami', access: 'any', handle: (call) => whoAmI(call) },
    {
      method: 'POST',
      path: '/api/repos/create',
      operation: 'createRepo',
      access: 'upload',
      handle: (call) => create(context, call),
    },
    {
      method: 'DELETE',
      path: '/api/repos/delete',
      operation: 'deleteRepo',
      access: 'upload',
      handle: (call) => remove(context, call),
    },
    {
      method: 'POST',
      path: '/api/validate-yaml',
      operation: 'validateYaml',
      // Clients send no token with it.
      access: 'public',
      // Cards that are no YAML are accepted, and rated as if they were absent.
      handle: async () => json({ errors: [], warnings: [] }),
    },
    ...REPO_TYPES.flatMap((type) => ofType(context, type)),
  ]
}

function ofType(context: HubContext, type: RepoType): Route[] {
  const base = `/api/${type}/{owner}/{name}`
  const read = (
    path: string,
    operation: string,
    handle: (call: SignedInCall, repository: Repository) => Promise<Response>,
  ): Route => ({
    method: 'GET',
    path,
    operation,
    access: 'search',
    handle: async (call) => handle(call, await repositoryOf(context, call, type)),
  })
  const write = (
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    operation: string,
    handle: (call: SignedInCall, repository: Repository) => Promise<Response>,
  ): Route => ({
    method,
    path,
    operation,
    access: 'upload',
    handle: async (call) => {
      const repository = await repositoryOf(context, call, type)
      checkWritable(repository, call.session)
      return handle(call, repository)
    },
  })
  const { commits } = context.registry
  return [
    {
      method: 'GET',
      path: `/api/${type}`,
      operation: 'listRepos',
      access: 'search',
      handle: (call) => list(context, call, type),
    },
    read(base, 'repoInfo', (call, repository) => info(context, call, repository, 'HEAD')),
    read(`${base}/revision/{revision}`, 'repoInfo', (call, repository) =>
      info(context, call, repository, call.params['revision'] ?? 'HEAD'),
    ),
    read(`${base}/refs`, 'listRefs', async (_call, { artifact }) => {
      const { branches, tags } = await commits.refs(artifact.id)
      const listed = (names: Readonly<Record<string, string>>, prefix: string) =>
        Object.entries(names).map(([name, oid]) => ({ name, ref: `refs/${prefix}/${name}`, targetCommit: oid }))
      return json({ branches: listed(branches, 'heads'), tags: listed(tags, 'tags'), converts: [], pullRequests: [] })
    }),
    read(`${base}/commits/{revision}`, 'listCommits', (call, repository) => history(context, call, repository)),
    write('PUT', `${base}/settings`, 'updateSettings', async (call, { artifact }) => {
      const settings = await readJson(call.request, settingsSchema)
      // To accept it would make its owner believe that not everybody can read it.
      if (settings.gated != null && settings.gated !== false) {
        const text = 'the registry has no gated repositories: make it private, and give keys to those who may read it'
        throw invalid('no-gating', text, { field: 'gated' })
      }
      const isPrivate = visibilityOf(settings) ?? artifact.isPrivate
      await context.registry.artifacts.change(artifact.id, call.session.user, 'UPDATE', (current) => ({
        ...current,
        siltstone: { ...current.siltstone, isPrivate },
      }))
      return json({ private: isPrivate })
    }),
    write('POST', `${base}/branch/{branch}`, 'createBranch', async ({ request, params, session }, { artifact }) => {
      const { startingPoint } = await readJson(request, branchSchema)
      await commits.createRef(artifact.id, 'branches', params['branch'] ?? '', startingPoint ?? 'HEAD', session.user)
      return json({}, 201)
    }),
    write('DELETE', `${base}/branch/{branch}`, 'deleteBranch', async ({ params, session }, { artifact }) => {
      await commits.deleteRef(artifact.id, 'branches', params['branch'] ?? '', session.user)
      await context.registry.quotas.freed(artifact.createdBy)
      return empty()
    }),
    write('POST', `${base}/tag/{revision}`, 'createTag', async ({ request, params, session }, { artifact }) => {
      const { tag } = await readJson(request, tagSchema)
      await commits.createRef(artifact.id, 'tags', tag, params['revision'] ?? 'HEAD', session.user)
      return json({}, 201)
    }),
    write('DELETE', `${base}/tag/{tag}`, 'deleteTag', async ({ params, session }, { artifact }) => {
      await commits.deleteRef(artifact.id, 'tags', params['tag'] ?? '', session.user)
      await context.registry.quotas.freed(artifact.createdBy)
      return empty()
    }),
  ]
}

async function whoAmI({ session }: SignedInCall): Promise<Response> {
  const { user, permissions, kind } = session
  return json({
    type: 'user',
    id: user,
    name: user,
    fullname: user,
    email: '',
    emailVerified: false,
    canPay: false,
    isPro: false,
    orgs: [],
    auth: {
      type: 'access_token',
      accessToken: { displayName: kind, role: permissions.includes('upload') ? 'write' : 'read' },
    },
  })
}

const visibilityOf = (body: { private?: boolean | null | undefined; visibility?: string | null | undefined }) =>
  body.private ?? (body.visibility == null ? undefined : body.visibility === 'private')

function typeOf(text: string | null | undefined): RepoType {
  const type = REPO_TYPES.find((each) => each === `${text ?? 'model'}s`)
  if (type !== undefined) return type
  throw invalid('repo-type', `"${text?.slice(0, 50)}" is no type of repository: give model, dataset or space`, {
    field: 'type',
  })
}

async function create(context: HubContext, call: SignedInCall): Promise<Response> {
  const { registry } = context
  const { user, isAdmin } = call.session
  const body = await readJson(call.request, repoSchema)
  const type = typeOf(body.type)
  const [first = '', second] = body.name.split('/')
  const owner = second === undefined ? (body.organization ?? user) : first
  const name = second ?? first
  const id = `${owner}/${name}`
  if (!isAdmin && owner !== user) throw forbidden('repo-forbidden', `only ${owner} and admins may make ${id}`)
  if (!isRepositoryName(id)) {
    throw invalid(
      'repository-name',
      `"${id.slice(0, 200)}" is no repository name: give owner/name of letters, digits, ".", "_" and "-"`,
      {
        field: 'name',
      },
    )
  }
  const url = `${endpointOf(call)}/${pathPrefix(type)}${id}`
  try {
    const isPrivate = visibilityOf(body) ?? false
    const artifact = await registry.add({
      type: artifactType(type),
      name,
      repository: id,
      isPrivate,
      by: user,
    })
    const bytes = new TextEncoder().encode(GIT_ATTRIBUTES)
    const file = { ...(await registry.blobs.put(bytes)), gitOid: gitOidOf(bytes) }
    await registry.commits.commit(artifact.id, {
      message: 'initial commit',
      by: user,
      changes: { '.gitattributes': file },
    })
    return json({ url, name: id, id: artifact.id })
  } catch (error) {
    if (!isSiltstoneError(error, 'conflict')) throw error
    return json({ error: 'You already created this repo', url }, 409, {
      'x-error-message': 'You already created this repo',
    })
  }
}

async function remove(context: HubContext, call: SignedInCall): Promise<Response> {
  const body = await readJson(call.request, repoSchema)
  const id = body.name.includes('/') ? body.name : `${body.organization ?? call.session.user}/${body.name}`
  const repository = await namedRepository(context, call.session, typeOf(body.type), id)
  checkWritable(repository, call.session)
  await context.registry.delete(repository.artifact, call.session.user)
  return json({})
}

async function info(
  context: HubContext,
  _call: SignedInCall,
  repository: Repository,
  revision: string,
): Promise<Response> {
  return json(described(repository, await commitOf(context, repository, revision)))
}

function described({ artifact, id, type }: Repository, commit: FileCommit) {
  const { readme, facts, createdAt, isPrivate } = artifact
  const { frontMatter } = splitFrontMatter(readme?.readme_text ?? '')
  const card = frontMatter === undefined ? undefined : parseFrontMatter(frontMatter)
  const license = card?.['license']
  return {
    _id: artifact.id,
    id,
    ...(type === 'models' && { modelId: id }),
    author: id.split('/')[0],
    sha: commit.oid,
    private: isPrivate,
    gated: false,
    disabled: false,
    createdAt,
    lastModified: commit.at,
    downloads: 0,
    likes: 0,
    tags: [...(facts?.tags ?? []), ...(typeof license === 'string' ? [`license:${license}`] : [])],
    ...(readme?.pipeline_tag != null && { pipeline_tag: readme.pipeline_tag }),
    ...(facts?.libraryName != null && { library_name: facts.libraryName }),
    ...(card !== undefined && { cardData: card }),
    siblings: Object.entries(commit.files).map(([path, file]) => {
      const { oid, size, lfs } = fileEntry(path, file)
      return {
        rfilename: path,
        size,
        blobId: oid,
        ...(lfs !== undefined && { lfs: { sha256: lfs.oid, size, pointerSize: lfs.pointerSize } }),
      }
    }),
  }
}

const MAX_LIST = 500
const DEFAULT_LIST = 50

async function list(context: HubContext, call: SignedInCall, type: RepoType): Promise<Response> {
  const { query, session, url } = call
  const { index, artifacts } = context.registry
  const wanted = Number(query.get('limit') ?? DEFAULT_LIST)
  const limit = Number.isSafeInteger(wanted) && wanted > 0 ? Math.min(wanted, MAX_LIST) : DEFAULT_LIST
  const cursor = query.get('cursor') ?? ''
  const text = query.get('search') ?? undefined
  const [owner, part] = text?.includes('/') === true ? text.split('/') : [query.get('author') ?? undefined, text]
  const page = await index.repositories(
    { type: artifactType(type), owner, text: part },
    { name: session.user, isAdmin: session.isAdmin },
    limit,
    isUlid(cursor) ? cursor : undefined,
  )
  const filters = query.getAll('filter')
  const found = await Promise.all(page.artifacts.map(({ id }) => artifacts.find(id)))
  const repositories = found.flatMap((artifact) =>
    artifact?.repository == null ? [] : [{ artifact, type, id: artifact.repository }],
  )
  const listed = await Promise.all(
    repositories.map(async (repository) => described(repository, await commitOf(context, repository, 'HEAD'))),
  )
  const body = listed.filter(({ tags }) => filters.every((each) => tags.includes(each)))
  if (page.next === null) return json(body)
  const next = new URL(url)
  next.searchParams.set('cursor', page.next)
  return json(body, 200, { link: `<${next.href}>; rel="next"` })
}

async function history(context: HubContext, call: SignedInCall, repository: Repository): Promise<Response> {
  const { commits } = context.registry
  const { oid } = await commitOf(context, repository, call.params['revision'] ?? 'HEAD')
  const all = await commits.history(repository.artifact.id, oid, MAX_HISTORY)
  const limit = Math.min(
    MAX_HISTORY,
    Math.max(1, Number(call.query.get('limit') ?? MAX_PAGE_COMMITS) || MAX_PAGE_COMMITS),
  )
  const page = Math.max(0, Number(call.query.get('p') ?? 0) || 0)
  const shown = all.slice(page * limit, (page + 1) * limit)
  const body = shown.map(({ oid: id, message, by, at }) => {
    const [title = '', ...rest] = message.split('\n')
    return { id, title, message: rest.join('\n').trim(), authors: [{ user: by }], date: at }
  })
  const next = new URL(call.url)
  next.searchParams.set('p', String(page + 1))
  const hasMore = all.length > (page + 1) * limit
  return json(body, 200, {
    'x-total-count': String(all.length),
    ...(hasMore && { link: `<${next.href}>; rel="next"` }),
  })
}

const MAX_HISTORY = 1_000
const MAX_PAGE_COMMITS = 50

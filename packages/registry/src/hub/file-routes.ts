/** Listing and reading the files of a revision. */
import { invalid, notFound } from 'siltstone/internal'
import { json } from '../http/answers.ts'
import { readBytes } from '../http/body.ts'
import type { Route, SignedInCall } from '../http/route.ts'
import { streamOf } from '../http/stream-of.ts'
import type { CommitFile, FileCommit } from '../store/commits.ts'
import {
  commitOf,
  fileEntry,
  gitOidOf,
  type HubContext,
  pathPrefix,
  REPO_TYPES,
  type RepoType,
  repositoryOf,
} from './context.ts'

const MAX_PATHS_BYTES = 10_000_000
const PAGE = 1_000

export function fileRoutes(context: HubContext): Route[] {
  return REPO_TYPES.flatMap((type): Route[] => {
    const api = `/api/${type}/{owner}/{name}`
    const page = `/${pathPrefix(type)}{owner}/{name}`
    const tree = (call: SignedInCall) => listTree(context, call, type)
    const read = (call: SignedInCall) => readFile(context, call, type)
    return [
      { method: 'GET', path: `${api}/tree/{revision}`, operation: 'listTree', access: 'search', handle: tree },
      {
        method: 'GET',
        path: `${api}/tree/{revision}/{path...}`,
        operation: 'listTree',
        access: 'search',
        handle: tree,
      },
      {
        method: 'POST',
        path: `${api}/paths-info/{revision}`,
        operation: 'pathsInfo',
        access: 'search',
        handle: (call) => pathsInfo(context, call, type),
      },
      {
        method: 'GET',
        path: `${page}/resolve/{revision}/{path...}`,
        operation: 'readFile',
        access: 'download',
        handle: read,
      },
      {
        method: 'GET',
        path: `${page}/raw/{revision}/{path...}`,
        operation: 'readFile',
        access: 'download',
        handle: read,
      },
    ]
  })
}

const isTrue = (text: string | null) => text !== null && /^(?:true|1)$/i.test(text)

interface Entry {
  type: string
  path: string
  oid: string
  size: number
}

/** Files and folders of a folder; with `recursive` those of all folders below it, too. */
export function entriesOf(files: FileCommit['files'], folder: string, recursive: boolean): Entry[] {
  const prefix = folder === '' ? '' : `${folder}/`
  const entries: Entry[] = []
  const folders = new Set<string>()
  for (const [path, file] of Object.entries(files)) {
    if (!path.startsWith(prefix)) continue
    const parts = path.slice(prefix.length).split('/')
    for (let depth = 1; depth < parts.length && (recursive || depth === 1); depth++)
      folders.add(prefix + parts.slice(0, depth).join('/'))
    if (recursive || parts.length === 1) entries.push(fileEntry(path, file))
  }
  // No tree object is kept, so a folder's id is that of its name.
  for (const path of folders) entries.push({ type: 'directory', path, oid: gitOidOf(Buffer.from(path)), size: 0 })
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

async function listTree(context: HubContext, call: SignedInCall, type: RepoType): Promise<Response> {
  const repository = await repositoryOf(context, call, type)
  const { revision = 'HEAD', path = '' } = call.params
  const commit = await commitOf(context, repository, revision)
  const folder = path.replace(/\/+$/, '')
  const entries = entriesOf(commit.files, folder, isTrue(call.query.get('recursive')))
  if (entries.length === 0 && folder !== '') throw noEntry(folder, revision)
  const after = call.query.get('cursor')
  const left = after === null ? entries : entries.filter(({ path: each }) => each > after)
  const page = left.slice(0, PAGE)
  const lastCommit = { id: commit.oid, title: commit.message.split('\n')[0], date: commit.at }
  const body = isTrue(call.query.get('expand')) ? page.map((entry) => ({ ...entry, lastCommit })) : page
  const last = page.at(-1)
  if (left.length <= page.length || last === undefined) return json(body)
  const next = new URL(call.url)
  next.searchParams.set('cursor', last.path)
  return json(body, 200, { link: `<${next.href}>; rel="next"` })
}

async function pathsInfo(context: HubContext, call: SignedInCall, type: RepoType): Promise<Response> {
  const repository = await repositoryOf(context, call, type)
  const text = new TextDecoder().decode(await readBytes(call.request, MAX_PATHS_BYTES))
  const paths = pathsOf(text, call.request.headers.get('content-type') ?? '')
  const { files } = await commitOf(context, repository, call.params['revision'] ?? 'HEAD')
  const folders = new Map(entriesOf(files, '', true).map((entry) => [entry.path, entry]))
  return json(paths.flatMap((path) => folders.get(path.replace(/\/+$/, '')) ?? []))
}

function pathsOf(text: string, contentType: string): string[] {
  if (!contentType.includes('json')) return new URLSearchParams(text).getAll('paths')
  try {
    const { paths } = JSON.parse(text) as { paths?: unknown }
    if (typeof paths === 'string') return [paths]
    if (Array.isArray(paths)) return paths.filter((each) => typeof each === 'string')
  } catch (cause) {
    throw invalid('body-json', 'the body is no JSON', { field: 'body', cause })
  }
  throw invalid('body-shape', 'paths is missing: give a list of paths', { field: 'paths' })
}

async function readFile(context: HubContext, call: SignedInCall, type: RepoType): Promise<Response> {
  const repository = await repositoryOf(context, call, type)
  const { revision = 'HEAD', path = '' } = call.params
  const commit = await commitOf(context, repository, revision)
  const file = Object.hasOwn(commit.files, path) ? commit.files[path] : undefined
  if (file === undefined) throw noEntry(path, revision)
  return content(context, call, path, file, commit.oid)
}

async function content(
  { registry: { blobs }, bodyLimits }: HubContext,
  { request, url }: SignedInCall,
  path: string,
  file: CommitFile,
  commit: string,
): Promise<Response> {
  const { sha256, sizeBytes, gitOid } = file
  const etag = `"${gitOid ?? sha256}"`
  const name =
    path
      .split('/')
      .at(-1)
      ?.replaceAll(/[^\w.-]/g, '_') ?? 'file'
  const headers: Record<string, string> = {
    etag,
    'x-repo-commit': commit,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${name}"`,
    'cache-control': 'no-cache',
    ...(gitOid === undefined && { 'x-linked-size': String(sizeBytes), 'x-linked-etag': `"${sha256}"` }),
  }
  if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers })
  // Small files are in the answer: they are read often, and another request costs more than their bytes.
  const isLimited = bodyLimits !== undefined && sizeBytes > bodyLimits.answerBytes
  const link = gitOid === undefined ? await blobs.link(sha256, { putTogether: isLimited }) : undefined
  if (link !== undefined && !isSameHost(link, url)) {
    return new Response(null, { status: 302, headers: { ...headers, location: link, 'content-length': '0' } })
  }
  const range = rangeOf(request.headers.get('range'), sizeBytes)
  if (range === 'unsatisfiable') {
    return new Response(null, {
      status: 416,
      headers: { ...headers, 'content-range': `bytes */${sizeBytes}`, 'content-length': '0' },
    })
  }
  const { offset, length } = range ?? { offset: 0, length: sizeBytes }
  const partial = range === undefined ? {} : { 'content-range': `bytes ${offset}-${offset + length - 1}/${sizeBytes}` }
  const all = { ...headers, ...partial, 'content-length': String(length) }
  const status = range === undefined ? 200 : 206
  if (request.method === 'HEAD' || length === 0) return new Response(null, { status, headers: all })
  return new Response(streamOf(blobs.stream(sha256, { offset, length })), { status, headers: all })
}

/**
 * huggingface_hub before 2 sends its token to another port of the same host, too, and a bucket refuses a link with a token. So a bucket
 * beside the registry is read through this process.
 */
const isSameHost = (link: string, { hostname }: URL): boolean => URL.parse(link)?.hostname === hostname

/** One range; several, or another unit, are ignored, as HTTP allows. */
export function rangeOf(
  text: string | null,
  sizeBytes: number,
): { offset: number; length: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(text?.trim() ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const [, first = '', last = ''] = match
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { offset: sizeBytes - length, length }
  }
  const offset = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < offset) return undefined
  return offset >= sizeBytes ? 'unsatisfiable' : { offset, length: end - offset + 1 }
}

const noEntry = (path: string, revision: string) =>
  notFound('entry-not-found', `Entry not found: ${path.slice(0, 200)} at ${revision.slice(0, 100)}`)

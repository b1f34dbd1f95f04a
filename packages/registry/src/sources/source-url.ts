/**
 * What a user's URL names. The URL itself is never requested: owner and name are taken from it, and requests go to the configured
 * services. So a URL cannot make the server ask an address of somebody's choice.
 */
import { invalid } from 'siltstone/internal'
import type { ArtifactType } from '../evidence/evidence.ts'

export interface SourceUrl {
  /** Null: a host without a driver; nothing can be learned about it. */
  driver: 'hub' | 'github' | null
  type: ArtifactType
  /** `owner/name`, or `name` for the oldest repositories of the hub; null without a driver. */
  repository: string | null
  /** Branch, tag or commit, if the URL has one. */
  revision: string | null
  /** One spelling for one source: no query, fragment, file, `.git` or trailing slash. */
  canonical: string
  /** The artifact's name by default: `name` of models and datasets, `owner-name` of code. */
  name: string
}

export interface SourceHosts {
  /** Default `huggingface.co`. */
  hub?: string
  /** Default `github.com`. */
  github?: string
}

const MAX_CHARACTERS = 2_048
const SEGMENT = /^[\w][\w.-]{0,95}$/

/**
 * @param type what the user registers; undefined: what the URL says
 * @throws SiltstoneError `invalid` (source-url): no URL, not https, or a host's URL that names no repository
 */
export function parseSourceUrl(text: string, type?: ArtifactType, hosts: SourceHosts = {}): SourceUrl {
  const url = toUrl(text)
  const host = url.host.toLowerCase().replace(/^www\./, '')
  const segments = url.pathname.split('/').filter((segment) => segment !== '')
  if (host === (hosts.hub ?? 'huggingface.co')) return ofHub(text, host, segments, type)
  if (host === (hosts.github ?? 'github.com')) return ofGithub(text, host, segments, type)
  const path = segments.join('/').replace(/\.git$/, '')
  const last = segments.at(-1)?.replace(/\.git$/, '')
  const canonical = `${url.protocol}//${host}${path === '' ? '' : `/${path}`}`
  return { driver: null, type: type ?? 'code', repository: null, revision: null, canonical, name: last || host }
}

function toUrl(text: string): URL {
  const bad = (why: string) =>
    invalid('source-url', `"${text.slice(0, 200)}" ${why}: give an address such as https://huggingface.co/owner/name`, {
      field: 'url',
    })
  if (text.length > MAX_CHARACTERS) throw bad(`has more than ${MAX_CHARACTERS} characters`)
  const url = URL.parse(text.trim())
  if (url === null) throw bad('is no URL')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw bad('is not an https URL')
  if (url.username !== '' || url.password !== '') throw bad('contains a user name or a password')
  return url
}

function ofHub(text: string, host: string, all: readonly string[], type: ArtifactType | undefined): SourceUrl {
  const isDataset = all[0] === 'datasets'
  const segments = isDataset || all[0] === 'models' ? all.slice(1) : all
  const marker = segments.findIndex(
    (segment, index) => index > 0 && /^(?:tree|blob|resolve|raw|commits?|discussions)$/.test(segment),
  )
  const path = (marker < 0 ? segments : segments.slice(0, marker)).map((segment) => segment.replace(/\.git$/, ''))
  if (path.length === 0 || path.length > 2 || all[0] === 'spaces' || !path.every((segment) => SEGMENT.test(segment))) {
    throw noRepository(text, host)
  }
  const repository = path.join('/')
  const isPinned = marker >= 0 && /^(?:tree|blob|resolve|raw|commit)$/.test(segments[marker] ?? '')
  return {
    driver: 'hub',
    type: type ?? (isDataset ? 'dataset' : 'model'),
    repository,
    revision: isPinned ? decoded(segments[marker + 1]) : null,
    canonical: `https://${host}/${isDataset ? 'datasets/' : ''}${repository}`,
    name: path.at(-1) ?? repository,
  }
}

function ofGithub(text: string, host: string, segments: readonly string[], type: ArtifactType | undefined): SourceUrl {
  const [owner = '', rawName = '', marker, revision] = segments
  const name = rawName.replace(/\.git$/, '')
  if (!SEGMENT.test(owner) || !SEGMENT.test(name)) throw noRepository(text, host)
  return {
    driver: 'github',
    type: type ?? 'code',
    repository: `${owner}/${name}`,
    revision: marker === 'tree' || marker === 'blob' || marker === 'commit' ? decoded(revision) : null,
    canonical: `https://${host}/${owner}/${name}`,
    name: type === 'model' || type === 'dataset' ? name : `${owner}-${name}`,
  }
}

/** A revision that is no valid percent-encoding is taken as it is: the source will not know it. */
function decoded(segment: string | undefined): string | null {
  if (segment === undefined) return null
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const noRepository = (text: string, host: string) =>
  invalid(
    'source-url',
    `"${text.slice(0, 200)}" names no repository: give an address such as https://${host}/owner/name`,
    { field: 'url' },
  )

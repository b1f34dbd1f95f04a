/** The sources of one registry: which services are asked, and with which tokens. */
import {
  type Clock,
  type HttpClient,
  invalid,
  isSiltstoneError,
  notFound,
  type Random,
  type SiltstoneError,
} from 'siltstone/internal'
import type { ArtifactType, Evidence } from '../evidence/evidence.ts'
import { collectEvidence } from './collect.ts'
import { GithubSource } from './github-source.ts'
import { HubSource } from './hub-source.ts'
import type { Source } from './source.ts'
import { type AnswerCache, MemoryAnswerCache, SourceHttp } from './source-http.ts'
import { parseSourceUrl, type SourceUrl } from './source-url.ts'
import { type UploadedFiles, UploadSource } from './upload-source.ts'

export interface SourcesOptions {
  clock: Clock
  random: Random
  hub?: { /** Default https://huggingface.co. */ url?: string; token?: string | undefined }
  github?: {
    /** Default https://github.com: the address in links. */
    url?: string
    /** Default https://api.github.com. */
    apiUrl?: string
    token?: string | undefined
  }
  /** Keeps answers with ETags. Default: in memory. */
  cache?: AnswerCache
  http?: HttpClient
}

export interface RecordRequest {
  type: ArtifactType
  url: string
  /** Default: from the URL. */
  name?: string | undefined
}

/** Calls that one rating may make. Without a token, GitHub answers 60 in an hour. */
const CALLS = { hub: 60, githubWithToken: 100, githubWithout: 40 }

export class Sources {
  readonly #options: SourcesOptions
  readonly #hub: SourceHttp
  readonly #github: SourceHttp
  readonly hosts: { hub: string; github: string }

  constructor(options: SourcesOptions) {
    const { clock, random, hub = {}, github = {}, cache = new MemoryAnswerCache(), http } = options
    const shared = { clock, random, cache, ...(http !== undefined && { http }) }
    const hubUrl = hub.url ?? 'https://huggingface.co'
    this.#options = options
    this.#hub = new SourceHttp({ ...shared, baseUrl: hubUrl, token: hub.token })
    this.#github = new SourceHttp({
      ...shared,
      baseUrl: github.apiUrl ?? 'https://api.github.com',
      token: github.token,
    })
    this.hosts = { hub: new URL(hubUrl).host, github: new URL(github.url ?? 'https://github.com').host }
  }

  /** @throws SiltstoneError `invalid` (source-url) */
  parse(url: string, type?: ArtifactType): SourceUrl {
    return parseSourceUrl(url, type, this.hosts)
  }

  /** The canonical address of a repository on the hub. @param id `owner/name` */
  hubUrl(type: 'model' | 'dataset', id: string): string {
    return `https://${this.hosts.hub}/${type === 'dataset' ? 'datasets/' : ''}${id}`
  }

  /** The canonical address of a code repository, from the label of its source; undefined: it has none. */
  codeUrl(label: string): string | undefined {
    const repository = /^https?:.*\/repos\/([^/]+\/[^/]+)$/.exec(label)?.[1]
    return repository === undefined ? undefined : `https://${this.hosts.github}/${repository}`
  }

  /**
   * The licence that GitHub finds in a project; undefined: none that it knows.
   * @throws SiltstoneError `invalid` (source-url), `not-found` (project-not-found), `unavailable`, …
   */
  async projectLicence(url: string): Promise<string | undefined> {
    const { canonical } = this.parse(url, 'code')
    const source = this.#begin().code(canonical)
    if (source === undefined) throw invalid('source-url', `${canonical} is no GitHub repository`, { field: 'url' })
    try {
      return (await source.describe()).licence
    } catch (cause) {
      if (!isSiltstoneError(cause, 'not-found')) throw cause
      throw notFound('project-not-found', `${canonical} does not exist, or is private`, { cause })
    }
  }

  /** Whether a driver can ask the source. */
  isKnown(url: string, type: ArtifactType): boolean {
    return this.parse(url, type).driver !== null
  }

  /**
   * Where a source is now, and at which revision.
   * @throws SiltstoneError `not-found` (source-not-found), `unavailable`, …
   */
  async look(type: ArtifactType, url: string): Promise<{ canonical: string; revision: string | null }> {
    const parsed = this.parse(url, type)
    const source = this.#begin().open(parsed)
    if (source === undefined) throw this.#withoutDriver(parsed)
    const { repository, revision } = await source.describe()
    return { canonical: this.#named(parsed, repository), revision }
  }

  #named(parsed: SourceUrl, repository: string | undefined): string {
    if (repository === undefined || parsed.repository === null || !parsed.canonical.endsWith(parsed.repository))
      return parsed.canonical
    const moved = parsed.canonical.slice(0, -parsed.repository.length) + repository
    return this.parse(moved, parsed.type).canonical
  }

  #withoutDriver({ canonical }: SourceUrl): SiltstoneError {
    const hosts = Object.values(this.hosts).join(' and ')
    const text = `nothing can be learned from ${canonical}: there are drivers for ${hosts}`
    return invalid('source-without-driver', text, { field: 'url' })
  }

  /**
   * Asks the services about one artifact.
   * @param netScoreOf the net score of a registered artifact by its canonical URL; null: it is not registered
   * @throws SiltstoneError `invalid` (source-url, source-without-driver), or that of the source: `not-found`, `unavailable`, …
   */
  async record(request: RecordRequest, netScoreOf: (url: string) => Promise<number | null>): Promise<Evidence> {
    const parsed = this.parse(request.url, request.type)
    const opened = this.#begin()
    const source = opened.open(parsed)
    if (source === undefined) throw this.#withoutDriver(parsed)
    return await this.#collect(source, { ...parsed, name: request.name ?? parsed.name }, opened, netScoreOf)
  }

  /** As `record`, from files that were uploaded. */
  recordUpload(
    subject: { type: ArtifactType; name: string; repository: string | null },
    files: UploadedFiles,
    netScoreOf: (url: string) => Promise<number | null>,
  ): Promise<Evidence> {
    return this.#collect(new UploadSource(files), { ...subject, canonical: 'upload' }, this.#begin(), netScoreOf)
  }

  #collect(
    source: Source,
    subject: { type: ArtifactType; name: string; repository: string | null; canonical: string },
    opened: Opened,
    netScoreOf: (url: string) => Promise<number | null>,
  ): Promise<Evidence> {
    const { type, name, repository, canonical: url } = subject
    return collectEvidence({
      clock: this.#options.clock,
      subject: { type, name, repository, url },
      source,
      linked: {
        code: (link) => opened.code(link),
        dataset: (id) => opened.dataset(id),
        modelUrl: (id) => `https://${this.hosts.hub}/${id}`,
      },
      netScoreOf,
    })
  }

  /** Sources that share the budgets of one rating. */
  #begin(): Opened {
    const hub = this.#hub.withBudget(CALLS.hub)
    const github = this.#github.withBudget(this.#github.hasToken ? CALLS.githubWithToken : CALLS.githubWithout)
    const open = ({ driver, repository, revision, canonical }: SourceUrl): Source | undefined => {
      if (repository === null) return undefined
      if (driver === 'github') return new GithubSource(github, repository, revision)
      return driver === 'hub'
        ? new HubSource(hub, canonical.includes('/datasets/') ? 'datasets' : 'models', repository, revision)
        : undefined
    }
    return {
      open,
      code: (link) => {
        const parsed = URL.parse(link)
        if (parsed === null || parsed.host !== this.hosts.github) return undefined
        const [owner, name] = parsed.pathname.split('/').filter((segment) => segment !== '')
        return owner === undefined || name === undefined
          ? undefined
          : open(this.parse(`https://${parsed.host}/${owner}/${name}`, 'code'))
      },
      dataset: (id) => new HubSource(hub, 'datasets', id, null),
    }
  }
}

interface Opened {
  open(url: SourceUrl): Source | undefined
  code(link: string): Source | undefined
  dataset(id: string): Source | undefined
}

/** The commands of the group `siltstone objects`. The CLI loads them from this package. */
import { stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { invalid, notFound, type ObjectsTools, walkDirectory } from 'siltstone/internal'
import { type Address, needAddress, parseAddress, parseRecordUri } from './address.ts'
import type { Objects } from './objects.ts'
import { openObjects } from './open-objects.ts'
import type { PresignRequest } from './presign.ts'
import { processCommands } from './process-commands.ts'

type Command = ReturnType<ObjectsTools['command']>

interface Options {
  data: string
  json?: boolean
  debug?: boolean
}

/** Opened objects by bucket, for one command. */
class Opened {
  readonly #data: string
  readonly #buckets = new Map<string, Promise<Objects>>()

  constructor(data: string) {
    this.#data = data
  }

  /** @throws SiltstoneError `invalid` (objects-place) */
  at({ place, bucket }: Address, create = false): Promise<Objects> {
    if (place === 'siltstone' && this.#data.startsWith('s3://'))
      throw invalid(
        'objects-place',
        `The store is in a bucket, so its objects are in buckets of S3: give s3://${bucket}/… instead of siltstone://${bucket}/….`,
        { field: 'place' },
      )
    const name = `${place} ${bucket}`
    let found = this.#buckets.get(name)
    if (found === undefined) {
      found =
        place === 's3'
          ? openObjects(`s3://${bucket}`, { store: this.#data })
          : openObjects(this.#data, { bucket, create })
      this.#buckets.set(name, found)
    }
    return found
  }

  async close(): Promise<void> {
    for (const opening of this.#buckets.values()) await (await opening).close()
  }
}

async function using<T>({ data }: Options, work: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = new Opened(data)
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}

export function objectsCommands(tools: ObjectsTools): Command[] {
  const make = (usage: string, description: string, examples: readonly string[]) =>
    tools.withOutputOptions(tools.command(usage, description, examples)).addOption(tools.dataOption())
  const out = (options: Options) => tools.output(options)
  return [
    make('cp <from> <to>', 'upload, download or copy one object, or with --recursive all of a folder', [
      'objects cp talk.mp4 siltstone://media/uploads/ --data ./data',
      'objects cp ./papers s3://my-bucket/papers/ --recursive',
      'objects cp siltstone://media/uploads/talk.mp4 ./talk.mp4',
    ])
      .option('-r, --recursive', 'all files of a folder, or all objects below a prefix')
      .option('--content-type <type>', 'of an upload; default: from its content, then its name')
      .option('--if-absent', 'fail if there is such an object')
      .action(async (from: string, to: string, options: CopyOptions) => {
        const copied = await using(options, (opened) => copy(opened, from, to, options))
        await out(options).answer(copied, () => copied.map(({ key, sizeBytes }) => `${key} ${sizeBytes}\n`).join(''))
      }),
    make('mv <from> <to>', 'move one object: a copy, then a deletion', [
      'objects mv siltstone://media/a.txt siltstone://media/b.txt --data ./data',
    ]).action(async (from: string, to: string, options: Options) => {
      const [source, target] = [needAddress(from), needAddress(to)]
      const moved = await using(options, async (opened) => {
        if (source.place !== target.place || source.bucket !== target.bucket)
          throw invalid('other-bucket', 'An object is moved within its bucket; use cp and rm between buckets.', {
            field: 'to',
          })
        return (await opened.at(source)).move(source.key, target.key)
      })
      await out(options).answer(moved, () => `${moved.key} ${moved.sizeBytes}\n`)
    }),
    make('ls <place>', 'list objects below a prefix', [
      'objects ls siltstone://media/uploads/ --data ./data',
      'objects ls s3://my-bucket/ --recursive --json',
    ])
      .option('-r, --recursive', 'all keys, not grouped by slashes')
      .action(async (place: string, options: Options & { recursive?: boolean }) => {
        const address = needAddress(place)
        const lines = await using(options, async (opened) =>
          list(await opened.at(address), address.key, options.recursive === true),
        )
        await out(options).answer(lines, () =>
          lines
            .map((one) =>
              'prefix' in one
                ? `${''.padStart(38)} ${one.prefix}\n`
                : `${one.lastModified} ${String(one.sizeBytes).padStart(13)} ${one.key}\n`,
            )
            .join(''),
        )
      }),
    make('rm <place>', 'delete one object, or with --recursive all below a prefix', [
      'objects rm siltstone://media/a.txt --data ./data',
      'objects rm siltstone://media/old/ --recursive',
    ])
      .option('-r, --recursive', 'every object below the prefix')
      .action(async (place: string, options: Options & { recursive?: boolean }) => {
        const address = needAddress(place)
        const deleted = await using(options, async (opened) => {
          const objects = await opened.at(address)
          if (options.recursive !== true) {
            if (!(await objects.exists(address.key))) throw missing(address)
            await objects.delete(address.key)
            return 1
          }
          const keys: string[] = []
          for await (const { key } of objects.list(address.key)) keys.push(key)
          await objects.delete(keys)
          return keys.length
        })
        await out(options).answer({ deleted }, () => `${deleted} deleted\n`)
      }),
    make('stat <place>', 'show size, type, ETag, metadata and tags of an object', [
      'objects stat siltstone://media/uploads/talk.mp4 --data ./data',
    ]).action(async (place: string, options: Options) => {
      const address = needAddress(place)
      const found = await using(options, async (opened) => {
        const objects = await opened.at(address)
        const info = await objects.head(address.key)
        if (info === undefined) throw missing(address)
        return { ...info, tags: await objects.tags(address.key) }
      })
      await out(options).answer(found, () => {
        const { contentType = '', metadata = {} } = found.head
        const pairs = (of: Readonly<Record<string, string>>) =>
          Object.entries(of)
            .map(([name, value]) => `${name}=${value}`)
            .join(' ')
        return [
          `key       ${found.key}`,
          `size      ${found.sizeBytes} bytes`,
          `type      ${contentType}`,
          `modified  ${new Date(found.lastModifiedMs).toISOString()}`,
          `etag      ${found.etag}`,
          ...(found.versionId === undefined ? [] : [`version   ${found.versionId}`]),
          ...(found.checksum === undefined ? [] : [`checksum  ${found.checksum.algorithm} ${found.checksum.value}`]),
          `metadata  ${pairs(metadata)}`,
          `tags      ${pairs(found.tags)}`,
          '',
        ].join('\n')
      })
    }),
    make('cat <place>', 'write an object to standard output', [
      'objects cat siltstone://media/notes.md --data ./data',
    ]).action(async (place: string, options: Options) => {
      const address = needAddress(place)
      await using(options, async (opened) => {
        const { body } = await (await opened.at(address)).get(address.key)
        for await (const chunk of body) await tools.writeOut(chunk)
      })
    }),
    make('presign <place>', 'sign a URL or a form for one object', [
      'objects presign siltstone://media/uploads/talk.mp4 --data ./data',
      'objects presign s3://my-bucket/up/talk.mp4 --put --size 1048576 --content-type video/mp4',
      'objects presign siltstone://media/up/clip.mp4 --post --max-size 500000000 --content-type-prefix video/',
    ])
      .option('--put', 'an upload of exactly --size bytes')
      .option('--post', 'a form of a browser, up to --max-size bytes')
      .addOption(new tools.Option('--size <bytes>', 'of --put').argParser(tools.wholeNumber(0)))
      .addOption(new tools.Option('--max-size <bytes>', 'of --post').argParser(tools.wholeNumber(0)))
      .option('--content-type <type>', 'that the client must send')
      .option('--content-type-prefix <text>', 'of --post: any type that begins so')
      .addOption(new tools.Option('--expires <seconds>', 'up to 7 days').default(3_600).argParser(tools.wholeNumber(1)))
      .action(async (place: string, options: PresignOptions) => {
        const address = needAddress(place)
        const request = presignRequest(address.key, options)
        const signed = await using(options, async (opened) => (await opened.at(address)).presign(request))
        await out(options).answer(signed, () =>
          signed.method === 'POST'
            ? `${signed.url}\n${Object.entries(signed.fields)
                .map(([name, value]) => `${name}=${value}\n`)
                .join('')}`
            : `${signed.url}\n`,
        )
      }),
    make('open <uri>', 'a link to where a record is from: to the page, or the second of a recording', [
      'objects open siltstone://media/uploads/talk.mp4#t=12.4,19 --data ./data',
    ])
      .addOption(new tools.Option('--expires <seconds>', 'up to 7 days').default(3_600).argParser(tools.wholeNumber(1)))
      .action(async (uri: string, options: PresignOptions) => {
        const { address, fragment } = parseRecordUri(uri)
        const request = presignRequest(address.key, { ...options, put: false, post: false })
        const { url } = await using(options, async (opened) => (await opened.at(address)).presign(request))
        await out(options).answer({ url: url + fragment }, () => `${url}${fragment}\n`)
      }),
    ...processCommands({
      make,
      tools,
      using: (options, address, work) => using(options, async (opened) => work(await opened.at(address))),
    }),
  ]
}

interface CopyOptions extends Options {
  recursive?: boolean
  contentType?: string
  ifAbsent?: boolean
}

interface Copied {
  key: string
  sizeBytes: number
}

async function copy(opened: Opened, from: string, to: string, options: CopyOptions): Promise<Copied[]> {
  const [source, target] = [parseAddress(from), parseAddress(to)]
  const condition = options.ifAbsent === true ? ({ ifAbsent: true } as const) : {}
  if (source === undefined && target !== undefined) {
    const objects = await opened.at(target, true)
    const type = options.contentType === undefined ? {} : { contentType: options.contentType }
    const put = async (file: string, key: string) => {
      const { sizeBytes } = await objects.put(key, { file }, { ...type, ...condition })
      return { key, sizeBytes }
    }
    if (options.recursive !== true) {
      const info = await stat(from).catch(() => undefined)
      if (info?.isDirectory()) throw invalid('is-directory', `${from} is a folder: add --recursive.`, { field: 'from' })
      return [await put(from, target.key === '' || target.key.endsWith('/') ? target.key + basename(from) : target.key)]
    }
    const copied: Copied[] = []
    const prefix = target.key === '' || target.key.endsWith('/') ? target.key : `${target.key}/`
    for await (const { path } of walkDirectory(from)) {
      const relative = path.slice(from.replace(/\/$/, '').length + 1)
      copied.push(await put(path, prefix + relative.split(sep).join('/')))
    }
    return copied
  }
  if (source !== undefined && target === undefined) {
    const objects = await opened.at(source)
    if (options.recursive !== true) {
      const info = await stat(to).catch(() => undefined)
      const file = to.endsWith('/') || info?.isDirectory() ? join(to, basename(source.key)) : to
      return [await objects.download(source.key, file)]
    }
    const copied: Copied[] = []
    const prefix = source.key === '' || source.key.endsWith('/') ? source.key : `${source.key}/`
    for await (const { key } of objects.list(prefix))
      copied.push(await objects.download(key, safeFile(to, key.slice(prefix.length))))
    return copied
  }
  if (source === undefined || target === undefined)
    throw invalid('no-object', `One of ${from} and ${to} must be siltstone://bucket/key or s3://bucket/key.`, {
      field: 'from',
    })
  const key = target.key === '' || target.key.endsWith('/') ? target.key + basename(source.key) : target.key
  const objects = await opened.at(target, true)
  if (source.place === target.place && source.bucket === target.bucket)
    return [await objects.copy(source.key, key, condition)]
  const { body, info } = await (await opened.at(source)).get(source.key)
  return [await objects.put(key, body, { ...info.head, ...condition })]
}

/** A key may lead out of the folder, or hold what no file name can. */
function safeFile(folder: string, relative: string): string {
  const parts = relative.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0') || part.includes('\\')))
    throw invalid(
      'unsafe-key',
      `The key …${JSON.stringify(relative)} cannot be the path of a file: download it by itself.`,
      { field: 'from' },
    )
  return join(folder, ...parts)
}

type Listed = { key: string; sizeBytes: number; etag: string; lastModified: string } | { prefix: string }

async function list(objects: Objects, prefix: string, recursive: boolean): Promise<Listed[]> {
  const lines: Listed[] = []
  let continuation: string | undefined
  do {
    const page = await objects.page({
      prefix,
      ...(!recursive && { delimiter: '/' }),
      ...(continuation !== undefined && { continuation }),
    })
    for (const one of page.prefixes) lines.push({ prefix: one })
    for (const { key, sizeBytes, etag, lastModifiedMs } of page.blobs)
      lines.push({ key, sizeBytes, etag, lastModified: new Date(lastModifiedMs).toISOString() })
    continuation = page.continuation
  } while (continuation !== undefined)
  return lines
}

interface PresignOptions extends Options {
  put?: boolean
  post?: boolean
  size?: number
  maxSize?: number
  contentType?: string
  contentTypePrefix?: string
  expires: number
}

function presignRequest(key: string, options: PresignOptions): PresignRequest {
  const { expires, contentType, contentTypePrefix } = options
  const common = { key, expiresInMs: expires * 1_000, ...(contentType !== undefined && { contentType }) }
  if (options.post === true) {
    const { maxSize = Number.NaN } = options
    return {
      ...common,
      method: 'post',
      maxBytes: maxSize,
      ...(contentTypePrefix !== undefined && { contentTypePrefix }),
    }
  }
  if (options.put === true) return { ...common, method: 'put', sizeBytes: options.size ?? Number.NaN }
  return { key, expiresInMs: expires * 1_000, method: 'get' }
}

function missing({ key, bucket }: Address): Error {
  return notFound('no-such-object', `There is no object ${JSON.stringify(key)} in ${bucket}.`, { key })
}

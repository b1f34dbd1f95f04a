import type {
  DeleteResult,
  GetResult,
  ListPage,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  Upload,
} from './object-store.ts'

/**
 * An object store that passes every call to `inner`, but for the methods that `overrides` replaces: the base of every
 * wrapper. `description` and `capabilities` are read from `inner` at each use.
 */
export function forwardingStore(inner: ObjectStore, overrides: Partial<ObjectStore> = {}): ObjectStore {
  const presignGet = overrides.presignGet ?? inner.presignGet?.bind(inner)
  return {
    ...(presignGet && { presignGet }),
    get direct() {
      return overrides.direct ?? inner.direct
    },
    get description() {
      return overrides.description ?? inner.description
    },
    get capabilities() {
      return overrides.capabilities ?? inner.capabilities
    },
    get: overrides.get ?? ((key, options) => inner.get(key, options)),
    head: overrides.head ?? ((key) => inner.head(key)),
    put: overrides.put ?? ((key, body, options) => inner.put(key, body, options)),
    upload: overrides.upload ?? ((key, options) => inner.upload(key, options)),
    list: overrides.list ?? ((prefix, options) => inner.list(prefix, options)),
    delete: overrides.delete ?? ((keys, options) => inner.delete(keys, options)),
    close: overrides.close ?? (() => inner.close()),
  }
}

export type StoreOperation = 'get' | 'head' | 'put' | 'upload' | 'list' | 'delete'

export interface StoreRequest {
  operation: StoreOperation
  /** The key, the prefix of a listing, or the keys of a deletion separated by spaces. */
  key: string
  /** Size of the body sent; 0 where the request has none. */
  sentBytes: number
  /** Of a put. */
  condition?: Pick<PutOptions, 'ifAbsent' | 'ifMatch'>
}

export type StoreAnswer = GetResult | ObjectInfo | undefined | PutResult | Upload | ListPage | DeleteResult

/** Receives each request; `send` sends it on and may be called more than once. */
export type Intercept = <T extends StoreAnswer>(request: StoreRequest, send: () => Promise<T>) => Promise<T>

/**
 * A store whose requests all pass through one function. Opening an upload is one request; writing and completing it
 * are not intercepted. `overrides` replaces whole methods.
 */
export function interceptedStore(
  inner: ObjectStore,
  intercept: Intercept,
  overrides: Partial<ObjectStore> = {},
): ObjectStore {
  const request = (operation: StoreOperation, key: string): StoreRequest => ({ operation, key, sentBytes: 0 })
  return forwardingStore(inner, {
    get: (key, options) => intercept(request('get', key), () => inner.get(key, options)),
    head: (key) => intercept(request('head', key), () => inner.head(key)),
    put: (key, body, options) =>
      intercept({ ...request('put', key), sentBytes: body.length, condition: options ?? {} }, () =>
        inner.put(key, body, options),
      ),
    upload: (key, options) => intercept(request('upload', key), () => inner.upload(key, options)),
    list: (prefix, options) => intercept(request('list', prefix), () => inner.list(prefix, options)),
    delete: (keys, options) => intercept(request('delete', keys.join(' ')), () => inner.delete(keys, options)),
    ...overrides,
  })
}

/** Size of the body that an answer carries. */
export function receivedBytes(answer: StoreAnswer): number {
  return answer !== undefined && 'body' in answer ? answer.body.length : 0
}

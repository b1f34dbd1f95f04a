/** Wraps an engine so that every call is a span. */
import type { Attributes } from '@opentelemetry/api'
import type { Catalog, CollectionInfo } from '../model/collection.ts'
import type { Collection, Engine } from '../model/store.ts'
import type { InSpan } from './tracing.ts'

export function tracedEngine(engine: Engine, inSpan: InSpan): Engine {
  return {
    catalog: tracedMethods(engine.catalog, 'catalog', {}, inSpan) as Catalog,
    collection: (tenant, database, id) =>
      inSpan('engine.collection', { 'siltstone.tenant': tenant, 'siltstone.database': database }, async () =>
        tracedCollection(await engine.collection(tenant, database, id), inSpan),
      ),
    close: () => engine.close(),
  }
}

function tracedCollection(collection: Collection, inSpan: InSpan): Collection {
  return tracedMethods(collection, 'collection', infoAttributes(collection.info), inSpan) as Collection
}

function infoAttributes({ id, tenant, database, dimension }: CollectionInfo): Attributes {
  return {
    'siltstone.collection': id,
    'siltstone.tenant': tenant,
    'siltstone.database': database,
    ...(dimension !== null && { 'siltstone.dimension': dimension }),
  }
}

/** All methods of both interfaces return promises; other members are passed through. */
function tracedMethods<T extends object>(target: T, name: string, attributes: Attributes, inSpan: InSpan): T {
  return new Proxy(target, {
    get(object, key) {
      const member: unknown = Reflect.get(object, key, object)
      if (typeof member !== 'function' || typeof key !== 'string') return member
      return (...parameters: unknown[]) =>
        inSpan(`${name}.${key}`, { ...attributes, ...sizes(parameters[0]) }, () =>
          (member as (...all: unknown[]) => Promise<unknown>).apply(object, parameters),
        )
    },
  })
}

/** The size of the request: its numbers and the lengths of its lists, never its content. */
function sizes(request: unknown): Attributes {
  if (Array.isArray(request)) return { 'siltstone.operations': request.length }
  if (typeof request !== 'object' || request === null) return {}
  const attributes: Attributes = {}
  for (const [key, value] of Object.entries(request)) {
    if (Array.isArray(value)) attributes[`siltstone.request.${key}`] = value.length
    else if (typeof value === 'number') attributes[`siltstone.request.${key}`] = value
  }
  return attributes
}

/**
 * Functions that are attached to collections: `statistics` counts the values of each metadata key, `record_counter` the
 * records. `../functions/` explains how.
 */
import { conflict, invalid, isSiltstoneError, notFound, unsupported } from '../../errors.ts'
import type { CollectionInfo } from '../../model/collection.ts'
import type { Collection } from '../../model/store.ts'
import { checkedCollectionName, databaseOf, openCollection } from '../call.ts'
import { newConfiguration } from '../configuration/configuration.ts'
import {
  type AttachedFunction,
  attachedOf,
  type FunctionName,
  FUNCTIONS,
  OTHER_FUNCTIONS,
  outputsOf,
  withAttached,
} from '../functions/attached-function.ts'
import { refreshOutput } from '../functions/refresh.ts'
import { bool, map, object, text } from '../openapi-schemas.ts'
import { type Answer, type Call, json, type Route } from '../route.ts'
import { Fields, readBoolean, readString } from '../wire/fields.ts'
import { toPlainJson } from '../wire/plain-json.ts'

const COLLECTION = '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}'

export const functionRoutes: Route[] = [
  {
    method: 'POST',
    path: `${COLLECTION}/functions/attach`,
    operation: 'attach_function',
    tag: 'Function',
    summary: 'Attaches a function, whose output is a new collection',
    access: 'write',
    body: object({ name: text, function_id: text, output_collection: text, params: map }, [
      'name',
      'function_id',
      'output_collection',
    ]),
    answer: object({ attached_function: map, created: bool }),
    handle: attach,
  },
  {
    method: 'GET',
    path: `${COLLECTION}/functions/{function_name}`,
    operation: 'get_attached_function',
    tag: 'Function',
    summary: 'A function that is attached to the collection, by its name',
    access: 'read',
    answer: object({ attached_function: map }),
    handle: getAttached,
  },
  {
    method: 'POST',
    path: `${COLLECTION}/attached_functions/{function_name}/detach`,
    operation: 'detach_function',
    tag: 'Function',
    summary: 'Detaches a function; its output stays as it is, or is deleted',
    access: 'write',
    body: object({ delete_output: bool }),
    answer: object({ success: bool }),
    handle: detach,
  },
  {
    method: 'POST',
    path: `${COLLECTION}/attached_functions/{function_name}/add_input`,
    operation: 'add_attached_function_input',
    tag: 'Function',
    summary: 'A second input of a function (not implemented: 501)',
    access: 'write',
    body: map,
    status: 501,
    handle: async (call) => {
      await find(call)
      throw unsupported('not-implemented', 'A function has one input here: attach one to each collection')
    },
  },
]

async function attach(call: Call): Promise<Answer> {
  const collection = await openCollection(call)
  const input = collection.info
  const body = await call.body()
  const name = body.required('name', readString)
  if (name === '') throw invalid('bad-function-name', 'name is empty; give the function a name', { field: 'name' })
  const functionName = functionOf(body.required('function_id', readString))
  const outputName = checkedCollectionName(body.required('output_collection', readString), 'output_collection')
  const params = body.optional('params', noParams) ?? null
  const { catalog } = call.options.engine
  const known = (await outputsOf(catalog, input)).find((info) => attachedOf(info)?.name === name)
  if (known) return attachedAgain(known, functionName, outputName)
  const attached = { id: call.options.ids.uuid(), name, functionName, inputCollectionId: input.id, params }
  const empty = newConfiguration(new Fields(new Map(), ''))
  const { info, created } = await catalog.createCollection({
    ...databaseOf(call),
    name: outputName,
    getOrCreate: true,
    metadata: null,
    ...empty,
    configuration: withAttached(empty.configuration, attached),
    // Only the server writes it.
    inbox: false,
  })
  const itself = attachedOf(info)
  if (!created && itself?.inputCollectionId !== input.id)
    throw conflict('output-exists', `Output collection [${outputName}] already exists`, { field: 'output_collection' })
  if (!created && itself) return attachedAgain(info, functionName, outputName, name)
  await noteAttachment(collection, attached.id)
  return json({ attached_function: { id: attached.id, name, function_name: functionName }, created: true })
}

/**
 * As in Chroma, attaching a function appends an operation to the log of the input: clients wait for a new version of the
 * input before they read the output. The operation deletes a record that does not exist.
 */
async function noteAttachment(input: Collection, attachmentId: string): Promise<void> {
  const id = `attached-function/${attachmentId}`
  await input.write([{ op: 'delete', id, vector: null, document: null, metadata: null, uri: null }])
}

/** @throws SiltstoneError `invalid` for any parameter: none of the functions takes one, and none is ignored */
function noParams(value: unknown, path: string): unknown {
  const params = toPlainJson(value, path)
  if (params === null || (typeof params === 'object' && Object.keys(params).length === 0)) return params
  const reason = 'params must be empty - no functions currently accept parameters'
  throw invalid('bad-function-params', `${reason}; leave ${path} out`, { field: path })
}

function attachedAgain(output: CollectionInfo, functionName: FunctionName, outputName: string, name?: string): Answer {
  const attached = attachedOf(output) as AttachedFunction
  if (attached.functionName !== functionName || output.name !== outputName || (name ?? attached.name) !== attached.name)
    throw conflict(
      'function-exists',
      `The function [${attached.name}] is already attached: ${attached.functionName}, with the output [${output.name}]`,
      { field: 'name' },
    )
  return json({
    attached_function: { id: attached.id, name: attached.name, function_name: functionName },
    created: false,
  })
}

function functionOf(name: string): FunctionName {
  const known = FUNCTIONS.find((one) => one === name)
  if (known) return known
  if (OTHER_FUNCTIONS.includes(name))
    throw unsupported('not-implemented', `The function ${name} is not implemented; there are ${FUNCTIONS.join(', ')}`)
  throw notFound('function-missing', `function not found: [${name.slice(0, 60)}]; there are ${FUNCTIONS.join(', ')}`)
}

async function find(call: Call): Promise<{ output: CollectionInfo; attached: AttachedFunction }> {
  const { info: input } = await openCollection(call)
  const name = call.param('function_name')
  for (const output of await outputsOf(call.options.engine.catalog, input)) {
    const attached = attachedOf(output)
    if (attached?.name === name) return { output, attached }
  }
  throw notFound('function-missing', `Attached function [${name.slice(0, 60)}] does not exist`)
}

async function getAttached(call: Call): Promise<Answer> {
  const { output, attached } = await find(call)
  const { tenant, database } = databaseOf(call)
  const collection = await call.options.engine.collection(tenant, database, attached.inputCollectionId)
  const { totalOps } = await collection.indexingStatus()
  return json({
    attached_function: {
      id: attached.id,
      name: attached.name,
      function_name: attached.functionName,
      input_collection_id: attached.inputCollectionId,
      output_collection: output.name,
      output_collection_id: output.id,
      params: attached.params,
      tenant_id: tenant,
      database_id: database,
      completion_offset: totalOps,
      min_records_for_invocation: 1,
    },
  })
}

async function detach(call: Call): Promise<Answer> {
  const deleteOutput = (await call.body()).optional('delete_output', readBoolean) ?? false
  const { output } = await find(call)
  const { engine, log } = call.options
  const { tenant, database } = databaseOf(call)
  if (deleteOutput) await engine.catalog.deleteCollection(tenant, database, output.name)
  else {
    await refreshOutput(engine, await engine.collection(tenant, database, output.id), log)
    const newConfiguration = withAttached(output.configuration, undefined)
    await orGone(engine.catalog.changeCollection(tenant, database, output.id, { newConfiguration }))
  }
  return json({ success: true })
}

/** Without its output, a function is detached. */
async function orGone(change: Promise<void>): Promise<void> {
  try {
    await change
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found')) throw error
  }
}

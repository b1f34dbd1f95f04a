/** Endpoints of Chroma Cloud that are not implemented yet. */
import { notImplemented, openCollection } from '../call.ts'
import type { Call, Route } from '../route.ts'
import { map } from '../openapi-schemas.ts'

const COLLECTION = '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}'

function notYet(operation: string, method: 'GET' | 'POST', path: string, feature: string): Route {
  return {
    method,
    path: `${COLLECTION}/${path}`,
    operation,
    tag: 'Function',
    summary: `${feature} (not implemented yet: 501)`,
    access: method === 'GET' ? 'read' : 'write',
    ...(method === 'POST' && { body: map }),
    status: 501,
    handle: async (call: Call) => {
      await openCollection(call)
      throw notImplemented(feature)
    },
  }
}

export const notYetRoutes: Route[] = [
  notYet('attach_function', 'POST', 'functions/attach', 'Attaching functions'),
  notYet('get_attached_function', 'GET', 'functions/{function_name}', 'Getting attached functions'),
  notYet('detach_function', 'POST', 'attached_functions/{function_name}/detach', 'Detaching functions'),
  notYet(
    'add_attached_function_input',
    'POST',
    'attached_functions/{function_name}/add_input',
    'Adding inputs to functions',
  ),
]

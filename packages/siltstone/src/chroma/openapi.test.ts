import { describe, expect, it } from 'vitest'
import { ModelEngine } from '../testing/model.ts'
import { openApiDocument } from './openapi.ts'
import { routes } from './routes/table.ts'
import { components } from './openapi-schemas.ts'
import { testApi } from './testing/api.ts'

interface Document {
  openapi: string
  paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>
}

describe('the OpenAPI document', () => {
  it('has every route of the app, and nothing else', async () => {
    const api = testApi(new ModelEngine())
    const document = (await api.call('GET', '/openapi.json')).json as Document
    expect(document.openapi).toBe('3.1.0')
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const about = new Set(['ALL /*', 'GET /openapi.json', 'GET /docs', 'ALL /api/v1/*'])
    const served = api.app.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    expect(served.filter((route) => !about.has(route)).toSorted()).toEqual(described.toSorted())
  })

  it('names every parameter of a path, and every operation once', () => {
    const { paths } = openApiDocument(routes) as unknown as Document
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation })),
    )
    for (const { path, parameters } of operations) {
      const names = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`)
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(names)
    }
    const ids = operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('refers to no schema that it does not have', () => {
    const text = JSON.stringify(openApiDocument(routes))
    const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1])
    for (const name of new Set(names)) expect(components).toHaveProperty(name as string)
  })

  it('has a page that loads nothing from elsewhere', async () => {
    const { app } = testApi(new ModelEngine())
    const answer = await app.request('/docs')
    const page = await answer.text()
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    for (const { path } of routes) expect(page).toContain(path)
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  })
})

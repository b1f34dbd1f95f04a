/** The page at /docs: every endpoint with its body and answer, and a form to try the GETs. It loads no other resources. */
import { html, raw } from 'hono/html'
import { openApiDocument } from './openapi.ts'
import type { JsonSchema, Route } from './route.ts'
import { components } from './openapi-schemas.ts'

const STYLE = `
:root { color-scheme: light dark }
a { color: light-dark(#0645ad, #8ab4f8) }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
details { border: 1px solid #ccc; border-radius: 4px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } code, pre, output { font: 13px/1.4 ui-monospace, monospace }
b.method { display: inline-block; min-width: 4.5rem } pre, output { display: block; background: #f5f5f2; padding: .6rem; overflow: auto; white-space: pre-wrap }
output:empty { display: none } label { display: block; margin: .2rem 0 } input { font: inherit; width: 24rem; max-width: 100% }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd } pre, output { background: #2a2a2a } details { border-color: #444 } }
`

const SCRIPT = `
document.addEventListener('submit', async (event) => {
  event.preventDefault()
  const form = event.target
  const output = form.querySelector('output')
  // Beside this page, so that it works below a path prefix.
  let path = form.dataset.path.slice(1)
  const query = new URLSearchParams()
  for (const input of form.querySelectorAll('input')) {
    if (input.dataset.in === 'path') path = path.replace('{' + input.name + '}', encodeURIComponent(input.value))
    else if (input.value !== '') query.set(input.name, input.value)
  }
  const token = document.getElementById('token').value
  const headers = token === '' ? {} : { 'x-chroma-token': token }
  try {
    const answer = await fetch(path + (query.size > 0 ? '?' + query : ''), { headers })
    const text = await answer.text()
    let shown = text
    try { shown = JSON.stringify(JSON.parse(text), null, 2) } catch (error) { shown = text }
    output.textContent = answer.status + ' ' + answer.statusText + '\\n' + shown
  } catch (error) {
    output.textContent = String(error)
  }
})
`

export function docsPage(routes: readonly Route[]) {
  const tags = [...new Set(routes.map(({ tag }) => tag))]
  const document = openApiDocument(routes) as { info: { title: string; summary: string } }
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${document.info.title} API</title><style>${raw(STYLE)}</style></head><body>
<h1>${document.info.title} API</h1>
<p>${document.info.summary}. Also as <a href="openapi.json">OpenAPI</a>.</p>
<label>Token <input id="token" type="password" autocomplete="off"></label>
${tags.map((tag) =>
  section(
    tag,
    routes.filter((route) => route.tag === tag),
  ),
)}
<h2>Schemas</h2>
${Object.entries(components).map(([name, schema]) => html`<details id="${name}"><summary><code>${name}</code></summary>${schemaText(schema)}</details>`)}
<script>${raw(SCRIPT)}</script></body></html>`
}

function section(tag: string, routes: readonly Route[]) {
  return html`<h2>${tag}</h2>${routes.map(endpoint)}`
}

function endpoint(route: Route) {
  const { method, path, summary, access, body, answer } = route
  const permission = access === 'open' ? 'no token needed' : access === 'store' ? 'admin of all tenants' : access
  return html`<details><summary><b class="method">${method}</b> <code>${path}</code> ${summary}</summary>
<p>Access: ${permission}</p>
${body === undefined ? '' : html`<h4>Body</h4>${schemaText(body)}`}
${answer === undefined ? '' : html`<h4>Answer</h4>${schemaText(answer)}`}
${method === 'GET' ? tryIt(route) : ''}</details>`
}

function schemaText(schema: JsonSchema) {
  return html`<pre>${JSON.stringify(schema, null, 2)}</pre>`
}

function tryIt({ path, query = {} }: Route) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
  const value = (name: string | undefined) => (name === 'tenant' || name === 'database' ? `default_${name}` : '')
  return html`<form data-path="${path}">
${inPath.map((name) => html`<label>${name} <input name="${name}" data-in="path" required value="${value(name)}"></label>`)}
${Object.keys(query).map((name) => html`<label>${name} <input name="${name}" data-in="query"></label>`)}
<button>Try it</button><output></output></form>`
}

/** A request as a command and as programs, to copy. Tokens are never written out. */
export interface Call {
  method: string
  path: string
  headers?: Record<string, string>
  body?: unknown
  /** The answer is text, not JSON. */
  isText?: boolean
}

export const LANGUAGES = ['curl', 'JavaScript', 'Python'] as const
export type Language = (typeof LANGUAGES)[number]

/** @param base of the server's paths, such as `https://example.org/vectors` */
export function snippet(language: Language, call: Call, base: string, withToken: boolean): string {
  const headers = {
    ...(call.body !== undefined && { 'content-type': 'application/json' }),
    ...call.headers,
  }
  const url = base + call.path
  if (language === 'curl') return curl(url, call, headers, withToken)
  return language === 'JavaScript' ? javascript(url, call, headers, withToken) : python(url, call, headers, withToken)
}

function curl(url: string, { method, body }: Call, headers: Record<string, string>, withToken: boolean): string {
  const lines = [`curl -s ${method === 'GET' ? '' : `-X ${method} `}${shell(url)}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`-H ${shell(`${name}: ${value}`)}`)
  if (withToken) lines.push('-H "x-chroma-token: $TOKEN"')
  if (body !== undefined) lines.push(`-d ${shell(JSON.stringify(body))}`)
  return lines.join(' \\\n  ')
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function javascript(
  url: string,
  { method, body, isText }: Call,
  headers: Record<string, string>,
  withToken: boolean,
): string {
  const entries = Object.entries(headers).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
  if (withToken) entries.push('"x-chroma-token": process.env.TOKEN')
  const options = [
    ...(method === 'GET' ? [] : [`method: ${JSON.stringify(method)}`]),
    ...(entries.length === 0 ? [] : [`headers: { ${entries.join(', ')} }`]),
    ...(body === undefined ? [] : [`body: JSON.stringify(${JSON.stringify(body)})`]),
  ]
  const more = options.length === 0 ? '' : `, {\n${options.map((line) => `  ${line},\n`).join('')}}`
  return `const answer = await fetch(${JSON.stringify(url)}${more})\nconsole.log(await answer.${isText === true ? 'text' : 'json'}())`
}

function python(
  url: string,
  { method, body, isText }: Call,
  headers: Record<string, string>,
  withToken: boolean,
): string {
  const entries = Object.entries(headers).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
  if (withToken) entries.push('"x-chroma-token": os.environ["TOKEN"]')
  const parts = [
    JSON.stringify(url),
    `method=${JSON.stringify(method)}`,
    ...(entries.length === 0 ? [] : [`headers={${entries.join(', ')}}`]),
    ...(body === undefined ? [] : [`data=json.dumps(${pythonValue(body)}).encode()`]),
  ]
  return [
    `import ${isText === true && body === undefined ? '' : 'json, '}${withToken ? 'os, ' : ''}urllib.request`,
    '',
    `request = urllib.request.Request(\n${parts.map((part) => `    ${part},\n`).join('')})`,
    isText === true
      ? 'print(urllib.request.urlopen(request).read().decode())'
      : 'print(json.load(urllib.request.urlopen(request)))',
  ].join('\n')
}

function pythonValue(value: unknown): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}: ${pythonValue(item)}`)
      .join(', ')}}`
  return JSON.stringify(value)
}

/** Cross-origin rules of buckets. An origin that no rule allows gets no header, and is never echoed. */
import { S3Error } from './s3-error.ts'
import { header, type S3Request } from './s3-request.ts'
import type { S3Answer } from './object-headers.ts'
import { childrenOf, childText, type XmlElement, type XmlValue } from './xml.ts'

export interface CorsRule {
  id?: string
  origins: string[]
  methods: string[]
  headers: string[]
  expose: string[]
  maxAgeS?: number
}

const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD']
const MAX_RULES = 100

/** @throws S3Error MalformedXML, InvalidRequest */
export function corsRules(body: XmlElement | undefined): CorsRule[] {
  const rules = body === undefined ? [] : childrenOf(body, 'CORSRule')
  if (rules.length === 0 || rules.length > MAX_RULES)
    throw new S3Error('MalformedXML', `A configuration has 1 to ${MAX_RULES} rules, not ${rules.length}.`)
  return rules.map((rule) => {
    const all = (name: string) => childrenOf(rule, name).map(({ text }) => text.trim())
    const [origins, methods, headers] = [all('AllowedOrigin'), all('AllowedMethod'), all('AllowedHeader')]
    if (origins.length === 0 || methods.length === 0)
      throw new S3Error('MalformedXML', 'A rule needs AllowedOrigin and AllowedMethod.')
    const unknown = methods.find((method) => !METHODS.includes(method))
    if (unknown !== undefined)
      throw new S3Error(
        'InvalidRequest',
        `Found unsupported HTTP method in CORS config. Unsupported method is ${unknown}`,
      )
    const twice = [...origins, ...headers].find((one) => one.split('*').length > 2)
    if (twice !== undefined)
      throw new S3Error('InvalidRequest', `${JSON.stringify(twice)} can not have more than one wildcard.`)
    const id = childText(rule, 'ID')
    const maxAge = childText(rule, 'MaxAgeSeconds')
    return {
      origins,
      methods,
      headers,
      expose: all('ExposeHeader'),
      ...(id !== undefined && { id }),
      ...(maxAge !== undefined && { maxAgeS: Number(maxAge) }),
    }
  })
}

export function corsXml(rules: readonly CorsRule[]): XmlValue {
  return {
    CORSRule: rules.map(({ id, origins, methods, headers, expose, maxAgeS }) => ({
      ID: id,
      AllowedOrigin: origins,
      AllowedMethod: methods,
      AllowedHeader: headers,
      ExposeHeader: expose,
      MaxAgeSeconds: maxAgeS,
    })),
  }
}

function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*')
  if (star === -1) return pattern === text
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)]
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
}

function ruleFor(rules: readonly CorsRule[], origin: string, method: string, headers: readonly string[]) {
  return rules.find(
    (rule) =>
      rule.origins.some((one) => matches(one, origin)) &&
      rule.methods.includes(method) &&
      headers.every((name) => rule.headers.some((one) => matches(one.toLowerCase(), name))),
  )
}

/** The headers that let a page read an answer; empty when no rule allows it. */
export function corsHeaders(request: S3Request, rules: readonly CorsRule[]): Record<string, string> {
  const origin = header(request, 'origin')
  const rule = origin === undefined ? undefined : ruleFor(rules, origin, request.method, [])
  return origin === undefined || rule === undefined ? {} : answerHeaders(rule, origin)
}

function answerHeaders(rule: CorsRule, origin: string): Record<string, string> {
  const any = rule.origins.includes('*')
  return {
    'access-control-allow-origin': any ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(!any && { 'access-control-allow-credentials': 'true' }),
    ...(rule.expose.length > 0 && { 'access-control-expose-headers': rule.expose.join(', ') }),
    ...(rule.maxAgeS !== undefined && { 'access-control-max-age': String(rule.maxAgeS) }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  }
}

/** The answer to OPTIONS, which browsers send without a signature. @throws S3Error AccessForbidden, InvalidRequest */
export function preflight(request: S3Request, rules: readonly CorsRule[]): S3Answer {
  const origin = header(request, 'origin')
  const method = header(request, 'access-control-request-method')
  if (origin === undefined || method === undefined)
    throw new S3Error('InvalidRequest', 'A preflight request needs Origin and Access-Control-Request-Method.')
  const asked = header(request, 'access-control-request-headers') ?? ''
  const names = asked
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  const rule = ruleFor(rules, origin, method, names)
  if (rule === undefined)
    throw new S3Error('AccessForbidden', 'CORSResponse: This CORS request is not allowed by the rules of the bucket.')
  const headers = answerHeaders(rule, origin)
  return {
    status: 200,
    headers: { ...headers, ...(names.length > 0 && { 'access-control-allow-headers': names.join(', ') }) },
  }
}

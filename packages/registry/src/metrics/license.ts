/**
 * `license`: how freely the artifact may be used. Each place that states a licence is read; if they disagree, the strictest counts,
 * since that is what an owner can insist on.
 */
import { type Evidence, type JsonObject, valueOf } from '../evidence/evidence.ts'
import { readReadme } from '../evidence/readme.ts'
import { CLASS_VALUES, licenceValue } from '../licences/classes.ts'
import { type LicenceExpression, licenceText, parseLicence } from '../licences/expression.ts'
import { measurement, type Metric, type Reason, unknownMeasurement } from './measurement.ts'

export interface StatedLicence {
  /** Undefined: a text that we cannot identify. */
  expression: LicenceExpression | undefined
  /** As written. */
  text: string
  place: string
  source: string
}

export const license: Metric = {
  name: 'license',
  reads: ['card', 'hub', 'texts', 'readme'],
  measure(evidence) {
    const stated = statedLicences(evidence)
    const unread = (['card', 'hub', 'texts', 'readme'] as const).filter((name) => evidence[name].state === 'unknown')
    if (stated.length === 0) {
      return unread.length === 0
        ? measurement([{ text: 'no licence is stated', source: evidence.card.source, points: 0 }])
        : unknownMeasurement(
            `no licence is stated in what was read; not read: ${unread.join(', ')}`,
            evidence.card.source,
          )
    }
    // A LICENSE file that cannot be identified adds nothing to a licence that is named elsewhere.
    const identified = stated.filter(({ expression }) => expression !== undefined)
    const judged = (identified.length > 0 ? identified : stated).map((each) => ({ ...each, ...judge(each.expression) }))
    const strictest = judged.reduce((a, b) => (b.value < a.value ? b : a))
    const reasons: Reason[] = judged.map((each) => ({
      text: `${each.place}: ${each.name} (${each.class}, ${each.value})${
        each === strictest && judged.some(({ value }) => value !== each.value)
          ? '; sources disagree, the strictest counts'
          : ''
      }`,
      source: each.source,
      points: each === strictest ? each.value : 0,
    }))
    return measurement(reasons, unread.length === 0 ? 'measured' : 'partial')
  },
}

function judge(expression: LicenceExpression | undefined) {
  if (expression === undefined) return { value: CLASS_VALUES.other, class: 'other', name: 'a text of its own' }
  const { value, class: classOf } = licenceValue(expression)
  return { value, class: classOf, name: licenceText(expression) }
}

/** Every place that states a licence. The licence check of the API uses it, too. */
export function statedLicences({ card, hub, texts, readme }: Evidence): StatedLicence[] {
  const stated: StatedLicence[] = []
  const add = (text: string, place: string, source: string) => {
    if (/^(?:unknown|none|noassertion)?$/i.test(text.trim())) return
    stated.push({ expression: parseLicence(text), text, place, source })
  }
  for (const text of cardLicences(valueOf(card) ?? {})) add(text, 'card', card.source)
  for (const tag of valueOf(hub)?.tags ?? []) {
    if (tag.startsWith('license:')) add(tag.slice('license:'.length), 'tag', hub.source)
  }
  for (const [path, text] of Object.entries(valueOf(texts) ?? {})) {
    if (/^(?:licen[cs]e|copying|unlicense)(?:\.\w+)?$/i.test(path)) {
      const expression = identifyLicenceText(text)
      stated.push({
        expression,
        text: expression === undefined ? path : licenceText(expression),
        place: path,
        source: texts.source,
      })
    }
  }
  const section = licenceSection(valueOf(readme) ?? '')
  if (stated.length === 0 && section !== undefined) add(section, 'README', readme.source)
  return stated
}

/** `license: other` is made precise by `license_name`. A list of licences holds jointly. */
function cardLicences(card: JsonObject): string[] {
  const value = card['license']
  const name = card['license_name']
  const list = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string')
  if (
    list.length === 1 &&
    list[0]?.toLowerCase() === 'other' &&
    typeof name === 'string' &&
    parseLicence(name) !== undefined
  ) {
    return [name]
  }
  return list
}

const TITLES: readonly (readonly [RegExp, string])[] = [
  [/SPDX-License-Identifier:\s*([^\n]+)/, ''],
  [/Apache License\s+Version 2\.0/, 'Apache-2.0'],
  [/GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3/i, 'AGPL-3.0-only'],
  [/GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3/i, 'LGPL-3.0-only'],
  [/GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1/i, 'LGPL-2.1-only'],
  [/GNU GENERAL PUBLIC LICENSE\s+Version 3/i, 'GPL-3.0-only'],
  [/GNU GENERAL PUBLIC LICENSE\s+Version 2/i, 'GPL-2.0-only'],
  [/Mozilla Public License,? Version 2\.0/i, 'MPL-2.0'],
  [/Creative Commons Attribution-NonCommercial 4\.0/i, 'CC-BY-NC-4.0'],
  [/Creative Commons Attribution-ShareAlike 4\.0/i, 'CC-BY-SA-4.0'],
  [/Creative Commons Attribution 4\.0/i, 'CC-BY-4.0'],
  [/CC0 1\.0 Universal/i, 'CC0-1.0'],
  [/This is free and unencumbered software released into the public domain/, 'Unlicense'],
  [
    /Permission is hereby granted, free of charge, to any person obtaining a copy\s[\s\S]{0,200}to deal\s+in the Software without restriction/,
    'MIT',
  ],
]
const HEAD_CHARACTERS = 2_000

/** By the title at the head of the text, or an SPDX identifier in it. */
export function identifyLicenceText(text: string): LicenceExpression | undefined {
  const head = text.slice(0, HEAD_CHARACTERS)
  // Known texts with terms added to them are other licences.
  if (/Commons Clause|Additional (?:Use )?(?:Terms|Restrictions)/i.test(head)) return undefined
  for (const [pattern, id] of TITLES) {
    const match = pattern.exec(head)
    if (match !== null) return parseLicence(id === '' ? (match[1] ?? '') : id)
  }
  return undefined
}

/** The first licence that the paragraph under a heading "License" names. */
function licenceSection(markdown: string): string | undefined {
  const { body, headings } = readReadme(markdown)
  const heading = headings.find((each) => /^licen[cs](?:e|ing)\b/i.test(each))
  if (heading === undefined) return undefined
  const paragraph =
    body
      .slice(body.indexOf(heading) + heading.length, body.indexOf(heading) + heading.length + HEAD_CHARACTERS)
      .split(/\n#/)[0] ?? ''
  for (const word of paragraph.match(/[A-Za-z0-9][\w.+-]*[\w+]/g) ?? []) {
    if (/\d|^(?:mit|isc|unlicense|wtfpl)$/i.test(word) && parseLicence(word) !== undefined) return word
  }
  const named = /\b(Apache|MIT|BSD|MPL|GPL|LGPL|AGPL)[- ](?:License,? )?(?:version |v)?(\d(?:\.\d)?)?/i.exec(paragraph)
  if (named === null) return undefined
  const version = named[2] === undefined ? '' : `-${named[2].includes('.') ? named[2] : `${named[2]}.0`}`
  return parseLicence(`${named[1]}${version}`) === undefined ? undefined : `${named[1]}${version}`
}

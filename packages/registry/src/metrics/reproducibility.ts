/**
 * `reproducibility`: would the README's code give the stated result? 0: there is no code. 0.5: there is. 0.75: it passes all checks
 * that need no execution. 1: a record of a run of this revision is attached. Foreign code is never executed here.
 */
import { type Evidence, valueOf } from '../evidence/evidence.ts'
import { type CodeBlock, readReadme } from '../evidence/readme.ts'
import { importedModules, isClosedPython, isRequired, readRequirements } from '../evidence/snippet.ts'
import { measurement, type Metric, unknownMeasurement } from './measurement.ts'

export const reproducibility: Metric = {
  name: 'reproducibility',
  reads: ['readme', 'texts', 'code', 'runs'],
  measure(evidence) {
    const { readme, texts, code, runs, subject } = evidence
    const run = (valueOf(runs) ?? []).find(({ revision, succeeded }) => succeeded && revision === subject.revision)
    const blocks = pythonBlocks(evidence)
    const hasCode = blocks.length > 0 || (valueOf(code)?.files.length ?? 0) > 0
    if (!hasCode && readme.state === 'unknown' && code.state !== 'found') {
      return unknownMeasurement(`README not read: ${readme.reason}`, readme.source)
    }
    const isPartial = [readme, texts, code, runs].some(({ state }) => state === 'unknown')
    const status = isPartial ? 'partial' : 'measured'
    if (!hasCode) return measurement([{ text: 'no code', source: readme.source, points: 0 }], status)
    if (run !== undefined)
      return measurement([{ text: `a run of ${run.revision} succeeded`, source: run.url, points: 1 }], status)
    const faults = staticFaults(evidence, blocks)
    return measurement(
      faults.length === 0
        ? [{ text: 'the code of the README passes all static checks', source: readme.source, points: 0.75 }]
        : [
            { text: 'there is code', source: readme.source, points: 0.5 },
            ...faults.map((text) => ({ text, source: readme.source, points: 0 })),
          ],
      status,
    )
  },
}

function pythonBlocks({ readme }: Evidence): readonly CodeBlock[] {
  return readReadme(valueOf(readme) ?? '').codeBlocks.filter(
    ({ language, code }) =>
      /^(?:python|py|python3)$/.test(language) ||
      (language === '' && /^[ \t]*(?:from[ \t]+\w+[ \t]+)?import[ \t]/m.test(code)),
  )
}

function staticFaults(evidence: Evidence, blocks: readonly CodeBlock[]): string[] {
  const { subject, texts, code } = evidence
  if (blocks.length === 0) return ['the README has no Python code to check']
  const faults: string[] = []
  const all = blocks.map((block) => block.code).join('\n')
  if (!blocks.every((block) => isClosedPython(block.code))) faults.push('a code block has an open string or bracket')
  const id = subject.repository ?? subject.name
  if (!all.includes(id)) faults.push(`no code block loads ${id}`)
  const requirementTexts = [...Object.entries(valueOf(texts) ?? {}), ...Object.entries(valueOf(code)?.texts ?? {})]
  const requirements = requirementTexts.flatMap(([path, text]) =>
    /requirements[^/]*\.txt$/.test(path) ? readRequirements(text) : [],
  )
  const missing = importedModules(all).filter((module) => !isRequired(module, requirements))
  // Requirements that were not read may be the ones that are missing or loose.
  for (const part of [texts, code]) {
    if (part.state === 'unknown') faults.push(`requirements not checked: ${part.reason}`)
  }
  if (requirements.length === 0) faults.push('there is no requirements.txt')
  else if (missing.length > 0) faults.push(`imported, but not required: ${missing.join(', ')}`)
  const loose = requirements.filter(({ isPinned }) => !isPinned).map(({ name }) => name)
  if (loose.length > 0) faults.push(`without a fixed version: ${loose.join(', ')}`)
  return faults
}

/** `ramp_up_time`: how soon a newcomer can use the artifact, by what its README explains. */
import { valueOf } from '../evidence/evidence.ts'
import { readReadme } from '../evidence/readme.ts'
import { measurement, type Metric, type Reason, unknownMeasurement } from './measurement.ts'

const SECTIONS: readonly (readonly [string, RegExp])[] = [
  ['usage', /\b(?:usage|quick ?-?start|getting started|get started|how to use|examples?|inference)\b/i],
  ['installation', /\b(?:install|installation|installing|set-?up|requirements|dependencies)\b/i],
  ['limitations or intended use', /\b(?:limitations?|bias(?:es)?|risks?|intended uses?|out-of-scope|ethical)\b/i],
  ['training', /\b(?:training|trained|pre-?training|fine-?tun(?:ing|ed))\b/i],
  ['evaluation', /\b(?:evaluation|results?|benchmarks?|performance|metrics)\b/i],
]
const LOADERS =
  /\bfrom_pretrained\(|\bpipeline\(|\bload_dataset\(|\bhf_hub_download\(|\bsnapshot_download\(|\bSentenceTransformer\(|\bInferenceSession\(/
const SECTION_POINTS = 0.3
const LENGTH_POINTS = 0.2
const CODE_POINTS = 0.25
const FACT_POINTS = 0.075
const EXAMPLE_POINTS = 0.1
const FULL_LENGTH_WORDS = 400

export const rampUpTime: Metric = {
  name: 'ramp_up_time',
  reads: ['readme', 'hub', 'files'],
  measure(evidence) {
    const { readme, hub, files, subject } = evidence
    if (readme.state === 'unknown') return unknownMeasurement(`README not read: ${readme.reason}`, readme.source)
    if (readme.state === 'absent') {
      return measurement([{ text: 'there is no README', source: readme.source, points: 0 }])
    }
    const text = readReadme(readme.value)
    const present = SECTIONS.filter(([, pattern]) => text.headings.some((heading) => pattern.test(heading)))
    const reasons: Reason[] = [
      {
        text: `sections: ${present.map(([name]) => name).join(', ') || 'none'} (${present.length} of ${SECTIONS.length})`,
        source: readme.source,
        points: (SECTION_POINTS * present.length) / SECTIONS.length,
      },
      {
        text: `${text.words} words (${FULL_LENGTH_WORDS} are enough)`,
        source: readme.source,
        points: LENGTH_POINTS * Math.min(1, text.words / FULL_LENGTH_WORDS),
      },
    ]
    const id = subject.repository ?? subject.name
    const shown = text.codeBlocks.some(({ code }) => code.includes(id) || LOADERS.test(code))
    reasons.push({
      text: shown ? 'a code block names the repository or a loader' : 'no code block names the repository or a loader',
      source: readme.source,
      points: shown ? CODE_POINTS : 0,
    })
    const facts = valueOf(hub)
    for (const [name, value] of [
      ['pipeline_tag', facts?.pipelineTag],
      ['library_name', facts?.libraryName],
    ] as const) {
      const isKnown = value !== undefined && value !== null && value !== ''
      const points = isKnown ? FACT_POINTS : 0
      reasons.push({ text: isKnown ? `${name} is ${value}` : `${name} is not stated`, source: hub.source, points })
    }
    const example = valueOf(files)?.find(({ path }) => /\.ipynb$|(?:^|\/)examples?(?:\/|[^/]*\.\w+$)/i.test(path))
    reasons.push({
      text: example === undefined ? 'no notebook or example file' : `example: ${example.path}`,
      source: files.source,
      points: example === undefined ? 0 : EXAMPLE_POINTS,
    })
    return measurement(reasons, hub.state === 'unknown' || files.state === 'unknown' ? 'partial' : 'measured')
  },
}

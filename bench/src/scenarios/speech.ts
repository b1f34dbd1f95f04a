/**
 * What is transcribed wrongly: recordings of people reading texts in the public domain, processed as an upload would be, and compared
 * with the texts. Both are normalised as Whisper's authors do for their own figures.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectRecords, mediaProcessor, openFile, whisperTranscriber } from '@siltstone/processors'
import { normalised, type Recording, recordings } from '../data/recordings.ts'
import { ffmpegProgram } from '../data/spoken-video.ts'
import type { Row } from '../measure/report.ts'
import { rateText, wordErrors, type WordErrors } from '../measure/word-errors.ts'
import type { Scenario } from './scenario.ts'

const SAMPLES_EACH_SECOND = 16_000

interface Heard extends WordErrors {
  recording: Recording
  seconds: number
  cpuSeconds: number
}

export const speech: Scenario = {
  about: 'word error rate of the English transcriber on recordings of people, which packages of PyPI have',
  records: [0],
  run: async (_options, report) => {
    const folder = mkdtempSync(join(tmpdir(), 'siltstone-bench-speech-'))
    const transcriber = whisperTranscriber()
    try {
      const heard: Heard[] = []
      for (const recording of await recordings()) {
        heard.push(await listen(recording, folder, transcriber))
        report.note(`${recording.from}: ${rateText(heard.at(-1) as Heard)}`)
      }
      const works = [...Map.groupBy(heard, ({ recording }) => recording.from)]
      report.table('People reading', [...works.map(([from, some]) => rowOf(from, some)), rowOf('all', heard)])
    } finally {
      await transcriber.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function rowOf(from: string, heard: readonly Heard[]): Row {
  const sum = (of: (one: Heard) => number) => heard.reduce((all, one) => all + of(one), 0)
  const errors = { words: sum(({ words }) => words), wrong: sum(({ wrong }) => wrong) }
  return {
    from,
    recordings: heard.length,
    seconds: sum(({ seconds }) => seconds),
    'processor s': sum(({ cpuSeconds }) => cpuSeconds),
    ...errors,
    'words wrong': rateText(errors),
  }
}

async function listen(
  recording: Recording,
  folder: string,
  transcriber: ReturnType<typeof whisperTranscriber>,
): Promise<Heard> {
  const wav = join(folder, 'speech.wav')
  execFileSync(ffmpegProgram(), [
    '-v',
    'error',
    '-y',
    '-i',
    recording.speech,
    '-ac',
    '1',
    '-ar',
    `${SAMPLES_EACH_SECOND}`,
    wav,
  ])
  await using file = await openFile(wav)
  const before = process.cpuUsage()
  const { records } = await collectRecords([mediaProcessor()], file, {
    transcribe: (pcm, signal) => transcriber.transcribe(pcm, signal),
  })
  const used = process.cpuUsage(before)
  const texts = records.filter(({ kind }) => kind === 'transcript').map(({ document }) => document)
  const [said = '', written = ''] = await normalised([recording.said, texts.join(' ')])
  return {
    recording,
    seconds: (file.sizeBytes - 44) / 2 / SAMPLES_EACH_SECOND,
    cpuSeconds: (used.user + used.system) / 1e6,
    ...wordErrors(said, written),
  }
}

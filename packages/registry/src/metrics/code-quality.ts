/** `code_quality`: signs of care in the code: tests, automation, checks, pinned dependencies, a README, upkeep, readable files. */
import { type CodeTree, type Evidence, valueOf } from '../evidence/evidence.ts'
import { readRequirements } from '../evidence/snippet.ts'
import { measurement, type Metric, type Reason, unknownMeasurement } from './measurement.ts'
import { monthsBefore } from './people.ts'

const TESTS =
  /(?:^|\/)(?:tests?|__tests__|spec)\/|(?:^|\/)test_[^/]+\.py$|_test\.(?:py|go|cc|cpp)$|\.(?:test|spec)\.[jt]sx?$/
const CI =
  /^\.github\/workflows\/[^/]+\.ya?ml$|^\.gitlab-ci\.yml$|^\.circleci\/|^azure-pipelines\.yml$|^Jenkinsfile$|^\.travis\.yml$|^\.buildkite\//
const CHECKS =
  /(?:^|\/)(?:ruff\.toml|\.ruff\.toml|\.flake8|\.pylintrc|mypy\.ini|pyrightconfig\.json|tsconfig\.json|\.eslintrc[^/]*|eslint\.config\.[^/]+|biome\.json|\.pre-commit-config\.yaml|\.golangci\.ya?ml|clippy\.toml|\.clang-tidy|\.clang-format)$/
const CHECK_SECTION = /^\[(?:tool\.(?:ruff|black|mypy|pylint|pyright|flake8|isort)|flake8|mypy)\b/m
const LOCK =
  /(?:^|\/)(?:poetry\.lock|uv\.lock|Pipfile\.lock|package-lock\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|go\.sum|conda-lock\.yml|environment\.lock)$/
const UPKEEP_MONTHS = 12
const READABLE_LINES = 500

export const codeQuality: Metric = {
  name: 'code_quality',
  reads: ['code', 'codeCommits'],
  measure(evidence) {
    const { code, codeCommits } = evidence
    if (code.state === 'unknown') return unknownMeasurement(`code not read: ${code.reason}`, code.source)
    if (code.state === 'absent' || code.value.files.length === 0)
      return unknownMeasurement('no code is linked', code.source)
    const tree = code.value
    const reason = (text: string, points: number): Reason => ({ text, source: code.source, points })
    const byFile = (what: string, pattern: RegExp, points: number) => {
      const file = tree.files.find(({ path }) => pattern.test(path))
      return file === undefined ? reason(`no ${what}`, 0) : reason(`${what}: ${file.path}`, points)
    }
    const readable = readableShare(tree)
    return measurement(
      [
        byFile('tests', TESTS, 0.25),
        byFile('continuous integration', CI, 0.15),
        checksReason(tree, reason),
        pinnedReason(tree, reason),
        byFile('README', /^readme(?:\.\w+)?$/i, 0.1),
        upkeepReason(evidence),
        readable === undefined
          ? reason('no source file was read', 0)
          : reason(
              `${Math.round(readable * 100)} % of the files that were read have at most ${READABLE_LINES} lines and closed brackets`,
              0.1 * readable,
            ),
      ],
      readable === undefined || code.limits !== undefined || codeCommits.state !== 'found' ? 'partial' : 'measured',
    )
  },
}

type MakeReason = (text: string, points: number) => Reason

function checksReason(tree: CodeTree, reason: MakeReason): Reason {
  const file =
    tree.files.find(({ path }) => CHECKS.test(path))?.path ??
    Object.entries(tree.texts).find(
      ([path, text]) => /(?:pyproject\.toml|setup\.cfg)$/.test(path) && CHECK_SECTION.test(text),
    )?.[0]
  return file === undefined ? reason('no linter or type checker is configured', 0) : reason(`checks: ${file}`, 0.15)
}

function pinnedReason(tree: CodeTree, reason: MakeReason): Reason {
  const lock = tree.files.find(({ path }) => LOCK.test(path))
  if (lock !== undefined) return reason(`dependencies are locked: ${lock.path}`, 0.15)
  const all = Object.entries(tree.texts).flatMap(([path, text]) =>
    /requirements[^/]*\.txt$/.test(path) ? readRequirements(text) : [],
  )
  if (all.length === 0) return reason('no list of dependencies with versions', 0)
  const pinned = all.filter(({ isPinned }) => isPinned).length
  return reason(`${pinned} of ${all.length} dependencies are pinned`, (0.15 * pinned) / all.length)
}

function upkeepReason({ codeCommits, observedOn, code }: Evidence): Reason {
  const commits = valueOf(codeCommits)
  if (commits === undefined) return { text: 'the last change is not known', source: codeCommits.source, points: 0 }
  const last = commits
    .map(({ at }) => at)
    .toSorted()
    .at(-1)
  const isRecent = last !== undefined && Date.parse(last) >= monthsBefore(observedOn, UPKEEP_MONTHS)
  return {
    text: last === undefined ? 'no commits' : `last commit ${last.slice(0, 10)}`,
    source: code.source,
    points: isRecent ? 0.1 : 0,
  }
}

function readableShare(tree: CodeTree): number | undefined {
  const read = tree.files.filter(({ lines }) => lines !== null)
  if (read.length === 0) return undefined
  return read.filter(({ lines, parses }) => (lines ?? 0) <= READABLE_LINES && parses !== false).length / read.length
}

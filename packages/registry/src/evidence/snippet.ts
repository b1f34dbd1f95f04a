/**
 * Static checks of Python code that need no interpreter: are strings and brackets closed, and which modules are imported? Code
 * that passes may still be wrong; code that fails cannot run.
 */

const CLOSING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

/** True: each string and each bracket is closed. */
export function isClosedPython(code: string): boolean {
  const open: string[] = []
  for (let index = 0; index < code.length; index++) {
    const character = code.charAt(index)
    if (character === '#') {
      const end = code.indexOf('\n', index)
      if (end < 0) break
      index = end
    } else if (character === '"' || character === "'") {
      const end = endOfString(code, index, character)
      if (end < 0) return false
      index = end
    } else if (character === '(' || character === '[' || character === '{') open.push(character)
    else if (character in CLOSING && open.pop() !== CLOSING[character]) return false
  }
  return open.length === 0
}

/** The position of the last character of the string literal, or −1. */
function endOfString(code: string, start: number, quote: string): number {
  const isTriple = code.startsWith(quote.repeat(3), start)
  for (let index = start + (isTriple ? 3 : 1); index < code.length; index++) {
    const character = code.charAt(index)
    if (character === '\\') index++
    else if (isTriple && code.startsWith(quote.repeat(3), index)) return index + 2
    else if (!isTriple && character === quote) return index
    else if (!isTriple && character === '\n') return -1
  }
  return -1
}

/** Top-level modules that the code imports, without relative ones and without those of the standard library. */
export function importedModules(code: string): string[] {
  const modules = new Set<string>()
  for (const line of code.split('\n')) {
    const from = /^\s*from\s+([A-Za-z_]\w*)(?:\.[\w.]*)?\s+import\b/.exec(line)
    if (from !== null) modules.add(from[1] ?? '')
    const plain = /^\s*import\s+([\w\s.,]+)/.exec(line)
    for (const part of plain?.[1]?.split(',') ?? []) {
      const name = /^\s*([A-Za-z_]\w*)/.exec(part)?.[1]
      if (name !== undefined) modules.add(name)
    }
  }
  return [...modules].filter((name) => !STANDARD_LIBRARY.has(name)).toSorted()
}

export interface Requirement {
  /** Lower case, with dashes. */
  name: string
  isPinned: boolean
}

/** The lines of a requirements.txt. A version with `==`, `===` or a URL with a commit or archive is pinned. */
export function readRequirements(text: string): Requirement[] {
  return text.split(/[\r\n\u2028\u2029]/).flatMap((line) => {
    const match = /^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)$/.exec(line.replace(/(?:^|\s)#.*$/, ''))
    if (match === null) return []
    const rest = match[2] ?? ''
    return [
      { name: packageName(match[1] ?? ''), isPinned: /^===?\s*[^\s*]+\s*(?:;|$)/.test(rest) || /^@\s*\S+/.test(rest) },
    ]
  })
}

const packageName = (name: string) => name.toLowerCase().replaceAll(/[-_.]+/g, '-')

/** The packages that provide a module, by the names they are installed under. */
export function isRequired(module: string, requirements: readonly Requirement[]): boolean {
  const names = [packageName(module), ...(PACKAGES_OF[module] ?? [])]
  return requirements.some((requirement) => names.includes(requirement.name))
}

const PACKAGES_OF: Readonly<Record<string, readonly string[]>> = {
  PIL: ['pillow'],
  bs4: ['beautifulsoup4'],
  cv2: ['opencv-python', 'opencv-python-headless', 'opencv-contrib-python'],
  dateutil: ['python-dateutil'],
  dotenv: ['python-dotenv'],
  faiss: ['faiss-cpu', 'faiss-gpu'],
  llama_cpp: ['llama-cpp-python'],
  skimage: ['scikit-image'],
  sklearn: ['scikit-learn'],
  yaml: ['pyyaml'],
}

const STANDARD_LIBRARY = new Set(
  (
    '__future__ abc argparse ast asyncio base64 bisect collections concurrent contextlib copy csv ctypes dataclasses datetime ' +
    'decimal difflib email enum errno functools gc getpass glob gzip hashlib heapq hmac html http importlib inspect io ' +
    'ipaddress itertools json locale logging lzma math mimetypes multiprocessing numbers operator os pathlib pickle pkgutil ' +
    'platform pprint queue random re secrets select shlex shutil signal socket sqlite3 ssl statistics string struct subprocess ' +
    'sys tarfile tempfile textwrap threading time timeit traceback types typing unicodedata unittest urllib uuid warnings wave ' +
    'weakref xml zipfile zlib'
  ).split(' '),
)

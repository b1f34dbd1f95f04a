/** French: the Snowball stemmer of French (Porter, "Snowball: A language for stemming algorithms", 2001), written from its description. */
import { afterVowelAndConsonant, type Regions, Suffixes } from './suffixes.ts'

const VOWELS = 'aeiouyâàëéêèïîôûù'
const STANDARD = new Suffixes({
  plain: 'ance iqUe isme able iste eux ances iqUes ismes ables istes',
  ic: 'atrice ateur ation atrices ateurs ations',
  log: 'logie logies',
  u: 'usion ution usions utions',
  ent: 'ence ences',
  ement: 'ement ements',
  ité: 'ité ités',
  if: 'if ive ifs ives',
  eau: 'eaux',
  al: 'aux',
  euse: 'euse euses',
  issement: 'issement issements',
  amment: 'amment',
  emment: 'emment',
  ment: 'ment ments',
})
const I_VERB = new Suffixes({
  plain: `îmes ît îtes i ie ies ir ira irai iraIent irais irait iras irent irez iriez irions irons iront is issaIent issais issait
    issant issante issantes issants isse issent isses issez issiez issions issons it`,
})
const VERB = new Suffixes({
  ions: 'ions',
  plain: 'é ée ées és èrent er era erai eraIent erais erait eras erez eriez erions erons eront ez iez',
  a: 'âmes ât âtes a ai aIent ais ait ant ante antes ants as asse assent asses assiez assions',
})
const RESIDUAL = new Suffixes({ ion: 'ion', ier: 'ier ière Ier Ière', e: 'e' })
const BEFORE_EMENT = new Suffixes({ iv: 'iv', eus: 'eus', abl: 'abl iqU', ièr: 'ièr Ièr' })

const isVowel = (letter: string | undefined): boolean => letter !== undefined && VOWELS.includes(letter)

export function stem(written: string): string {
  const word = marked(written)
  const regions = regionsOf(word)
  return unmarked(withoutAccent(withoutDouble(changed(word, regions))))
}

/** Writes letters that count as consonants in upper case; ë and ï get an H before them. */
function marked(word: string): string {
  let result = ''
  for (let i = 0; i < word.length; i++) {
    const letter = word[i] as string
    const before = result.at(-1)
    const after = word[i + 1]
    const isBetween = isVowel(before) && isVowel(after)
    if (letter === 'ë') result += 'He'
    else if (letter === 'ï') result += 'Hi'
    else if ((letter === 'u' || letter === 'i') && isBetween) result += letter.toUpperCase()
    else if (letter === 'u' && before === 'q') result += 'U'
    else if (letter === 'y' && (isVowel(before) || isVowel(after))) result += 'Y'
    else result += letter
  }
  return result
}

function unmarked(word: string): string {
  return word.replaceAll('He', 'ë').replaceAll('Hi', 'ï').replaceAll('H', '').toLowerCase()
}

function regionsOf(word: string): Regions {
  const r1 = afterVowelAndConsonant(word, VOWELS)
  return { rv: verbRegion(word), r1, r2: afterVowelAndConsonant(word, VOWELS, r1) }
}

function verbRegion(word: string): number {
  if (word.length >= 3 && isVowel(word[0]) && isVowel(word[1])) return 3
  if (/^(?:par|col|tap)/.test(word)) return 3
  for (let at = 1; at < word.length; at++) if (isVowel(word[at])) return at + 1
  return word.length
}

function changed(word: string, regions: Regions): string {
  const standard = withoutStandard(word, regions)
  if (standard?.isEnough === true) return afterRemoval(standard.word)
  // An adverb is what its adjective is, whose ending may be one of a verb.
  const adjective = standard?.word ?? word
  const verb = withoutIVerb(adjective, regions) ?? withoutVerb(adjective, regions)
  return verb === undefined ? withoutResidual(adjective, regions) : afterRemoval(verb)
}

function afterRemoval(word: string): string {
  if (word.endsWith('Y')) return `${word.slice(0, -1)}i`
  return word.endsWith('ç') ? `${word.slice(0, -1)}c` : word
}

function withoutStandard(word: string, { rv, r1, r2 }: Regions): { word: string; isEnough: boolean } | undefined {
  const found = STANDARD.of(word)
  if (!found) return undefined
  const { start } = found
  const rest = word.slice(0, start)
  const enough = (result: string) => ({ word: result, isEnough: true })
  const inR2 = start >= r2
  /** Removes `ic` in R2; elsewhere it becomes `iqU`. */
  const withoutIc = (from: string): string => {
    if (!from.endsWith('ic')) return from
    return from.length - 2 >= r2 ? from.slice(0, -2) : `${from.slice(0, -2)}iqU`
  }
  switch (found.group) {
    case 'plain':
      return inR2 ? enough(rest) : undefined
    case 'ic':
      return inR2 ? enough(withoutIc(rest)) : undefined
    case 'log':
      return inR2 ? enough(`${rest}log`) : undefined
    case 'u':
      return inR2 ? enough(`${rest}u`) : undefined
    case 'ent':
      return inR2 ? enough(`${rest}ent`) : undefined
    case 'ement':
      return start >= rv ? enough(beforeEment(rest, { rv, r1, r2 })) : undefined
    case 'ité': {
      if (!inR2) return undefined
      if (rest.endsWith('abil')) return enough(rest.length - 4 >= r2 ? rest.slice(0, -4) : `${rest.slice(0, -4)}abl`)
      if (rest.endsWith('iv')) return enough(rest.length - 2 >= r2 ? rest.slice(0, -2) : rest)
      return enough(withoutIc(rest))
    }
    case 'if': {
      if (!inR2) return undefined
      return enough(rest.endsWith('at') && rest.length - 2 >= r2 ? withoutIc(rest.slice(0, -2)) : rest)
    }
    case 'eau':
      return enough(`${rest}eau`)
    case 'al':
      return start >= r1 ? enough(`${rest}al`) : undefined
    case 'euse':
      return inR2 ? enough(rest) : start >= r1 ? enough(`${rest}eux`) : undefined
    case 'issement':
      return start >= r1 && rest !== '' && !isVowel(rest.at(-1)) ? enough(rest) : undefined
    case 'amment':
      return start >= rv ? { word: `${rest}ant`, isEnough: false } : undefined
    case 'emment':
      return start >= rv ? { word: `${rest}ent`, isEnough: false } : undefined
    case 'ment':
      return isVowel(rest.at(-1)) && start - 1 >= rv ? { word: rest, isEnough: false } : undefined
  }
}

function beforeEment(word: string, { rv, r1, r2 }: Regions): string {
  const found = BEFORE_EMENT.of(word)
  if (!found) return word
  const rest = word.slice(0, found.start)
  const inR2 = found.start >= r2
  switch (found.group) {
    case 'iv':
      if (!inR2) return word
      return rest.endsWith('at') && rest.length - 2 >= r2 ? rest.slice(0, -2) : rest
    case 'eus':
      return inR2 ? rest : found.start >= r1 ? `${rest}eux` : word
    case 'abl':
      return inR2 ? rest : word
    case 'ièr':
      return found.start >= rv ? `${rest}i` : word
  }
}

function withoutIVerb(word: string, { rv }: Regions): string | undefined {
  const found = I_VERB.of(word, rv)
  if (!found || found.start <= rv) return undefined
  const before = word[found.start - 1]
  return before === 'H' || isVowel(before) ? undefined : word.slice(0, found.start)
}

function withoutVerb(word: string, { rv, r2 }: Regions): string | undefined {
  const found = VERB.of(word, rv)
  if (!found) return undefined
  const rest = word.slice(0, found.start)
  if (found.group === 'ions') return found.start >= r2 ? rest : undefined
  return found.group === 'a' && rest.endsWith('e') && rest.length - 1 >= rv ? rest.slice(0, -1) : rest
}

function withoutResidual(written: string, { rv, r2 }: Regions): string {
  let word = written
  if (/(?:Hi|[^aiouès])s$/.test(word)) word = word.slice(0, -1)
  const found = RESIDUAL.of(word, Math.min(rv, word.length))
  if (!found) return word
  const rest = word.slice(0, found.start)
  if (found.group === 'ier') return `${rest}i`
  if (found.group === 'e') return rest
  return found.start >= r2 && found.start > rv && /[st]$/.test(rest) ? rest : word
}

function withoutDouble(word: string): string {
  return /(?:enn|onn|ett|ell|eill)$/.test(word) ? word.slice(0, -1) : word
}

/** The accent of an e before the last consonants. */
function withoutAccent(word: string): string {
  const match = /[éè]([^aeiouyâàëéêèïîôûù]+)$/.exec(word)
  return match ? `${word.slice(0, match.index)}e${match[1] ?? ''}` : word
}

export const STOP_WORDS =
  'à ai alors après au aucun aussi autre aux avant avec avoir c car ce cela ces cet cette ceux chaque chez comme d dans de des donc dont du elle elles en encore entre est et été être eu eux fait il ils j je l la le les leur leurs lui m ma mais me même mes moi moins mon n ne ni nos notre nous on ont ou où par pas peu peut plus pour qu quand que quel quelle qui s sa sans se sera ses si son sont sous sur t ta te tes ton tous tout toute très tu un une vers vos votre vous y'

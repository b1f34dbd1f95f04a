/** Swedish: the Snowball stemmer of Swedish (Porter, "Snowball: A language for stemming algorithms", 2001), written from its description. */
import { afterVowelAndConsonant, Suffixes } from './suffixes.ts'

const VOWELS = 'aeiouyäåö'
const MAIN = new Suffixes({
  plain: `a arna erna heterna orna ad e ade ande arne are aste en anden aren heten ern ar er heter or as arnas ernas ornas es ades
    andes ens arens hetens erns at andet het ast`,
  s: 's',
})

export function stem(written: string): string {
  let word = written
  if (word.length < 3) return word
  const r1 = Math.max(3, afterVowelAndConsonant(word, VOWELS))
  const main = MAIN.of(word, r1)
  if (main && (main.group === 'plain' || /[bcdfghjklmnoprtvy]s$/.test(word))) word = word.slice(0, main.start)
  if (word.length - 2 >= r1 && /(?:dd|gd|nn|dt|gt|kt|tt)$/.test(word)) word = word.slice(0, -1)
  const inRegion = word.slice(Math.min(r1, word.length))
  if (/(?:löst|fullt)$/.test(inRegion)) return word.slice(0, -1)
  const other = /(?:lig|els|ig)$/.exec(inRegion)
  return other ? word.slice(0, word.length - other[0].length) : word
}

export const STOP_WORDS =
  'alla allt än att av blev bli blir då de dem den denna deras det detta dig din dina du efter ej eller en er ett från för genom ha hade han hans har henne här hon honom hur i icke ingen inom inte jag kan kunde man med mellan men mig min mina mitt mot mycket när nu någon något några och om oss på så sig sin sina ska skulle som till under upp ut var vad vara vart vem vi vid vilka vilken vår än är över'

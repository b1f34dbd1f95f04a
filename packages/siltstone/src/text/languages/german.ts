/** German: the Snowball stemmer of German (Porter, "Snowball: A language for stemming algorithms", 2001), written from its description. */
import { afterVowelAndConsonant, Suffixes, withoutEnd } from './suffixes.ts'

const VOWELS = 'aeiouyäöü'
const FIRST = new Suffixes({ plain: 'em ern er', e: 'e en es', s: 's' })
const SECOND = new Suffixes({ plain: 'en er est', st: 'st' })
const THIRD = new Suffixes({ ung: 'end ung', ig: 'ig ik isch', lich: 'lich heit', keit: 'keit' })

export function stem(written: string): string {
  // U and Y between vowels are consonants.
  let word = written.replaceAll('ß', 'ss').replace(/(?<=[aeiouyäöü])([uy])(?=[aeiouyäöü])/g, (one) => one.toUpperCase())
  const r1 = Math.max(3, afterVowelAndConsonant(word, VOWELS))
  const r2 = afterVowelAndConsonant(word, VOWELS, afterVowelAndConsonant(word, VOWELS))
  const first = FIRST.of(word)
  if (first && first.start >= r1) {
    if (first.group !== 's') {
      word = word.slice(0, first.start)
      if (first.group === 'e' && word.endsWith('niss')) word = word.slice(0, -1)
    } else if (/[bdfghklmnrt]s$/.test(word)) word = word.slice(0, -1)
  }
  const second = SECOND.of(word)
  if (second && second.start >= r1 && (second.group === 'plain' || /.{3}[bdfghklmnt]st$/s.test(word)))
    word = word.slice(0, second.start)
  word = third(word, r1, r2)
  return word.toLowerCase().replaceAll('ä', 'a').replaceAll('ö', 'o').replaceAll('ü', 'u')
}

function third(word: string, r1: number, r2: number): string {
  const found = THIRD.of(word)
  if (!found || found.start < r2) return word
  const { group, start } = found
  const rest = word.slice(0, start)
  if (group === 'ung') return withoutEnd(rest, /(?<!e)ig$/, r2)
  if (group === 'ig') return rest.endsWith('e') ? word : rest
  return group === 'lich' ? withoutEnd(rest, /e[rn]$/, r1) : withoutEnd(rest, /(?:lich|ig)$/, r2)
}

export const STOP_WORDS =
  'aber alle als also am an auch auf aus bei bin bis bist da damit dann das dass daß dem den denn der des die dies diese dieser dieses doch dort du durch ein eine einem einen einer eines er es für hat hatte hier ich ihr ihre im in ist ja jede jeder kann kein keine können man mehr mein mich mir mit nach nicht noch nur ob oder ohne sehr sein seine sich sie sind so über um und uns unter vom von vor war was weil wenn wer werden wie wir wird wo zu zum zur zwischen'

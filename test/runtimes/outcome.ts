/** What a runtime answers: the checks of reading over a store and a published folder, and texts. */
import { askTexts, type CheckResult, runChecks } from '../reader/page.ts'

export interface Outcome {
  checks: CheckResult[]
  answers: string[]
}

/** As in `test/reader/main.ts`. */
const QUESTIONS = ['why do streams drop mud?', 'how is a dessert baked?', 'AB-1234']
/** Without the third: a number has no meaning. */
export const expectedAnswers = ['silt', 'bread', 'invoice', 'invoice']

export async function outcomeAt(origin: string): Promise<Outcome> {
  const named = (place: string, checks: CheckResult[]) =>
    checks.map(({ title, problem }) => ({ title: `${place}, ${title}`, problem }))
  return {
    checks: [
      ...named('store', await runChecks(`${origin}/store`, { collection: 'things' }, 1e-4)),
      ...named('published', await runChecks(`${origin}/pages`, {}, 0.1)),
    ],
    answers: await askTexts(`${origin}/texts/`, QUESTIONS),
  }
}

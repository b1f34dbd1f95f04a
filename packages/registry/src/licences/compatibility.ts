/**
 * May a project under one licence use a model under another? Two uses are judged: fine-tuning (the result is a work derived
 * from the model, distributed under the project's licence) and inference (the project runs the model, which stays as it is).
 *
 * Software licences are judged by OSADL's matrix (`osadl-matrix.ts`). It has no licences for data and models, so these have
 * the rules of `ownRule`, by class. What neither decides is `unknown`, never yes. This is no legal advice.
 */
import { classOfLicence } from './classes.ts'
import { type LicenceExpression, licenceText } from './expression.ts'
import type { LicenceClass } from './named.ts'
import { OSADL_IDS, OSADL_ROWS, OSADL_STATE } from './osadl-matrix.ts'

const MATRIX = `OSADL's matrix of ${OSADL_STATE.slice(0, 10)}`

export type Answer = 'yes' | 'no' | 'unknown'

export interface Verdict {
  answer: Answer
  reason: string
}

export interface LicenceCheck {
  /** Both uses are certainly allowed. */
  allowed: boolean
  fineTuning: Verdict
  inference: Verdict
}

type Licence = Extract<LicenceExpression, { kind: 'licence' }>

/** @param model the model's licence (inbound) @param project the project's licence (outbound) */
export function checkLicences(model: LicenceExpression, project: LicenceExpression): LicenceCheck {
  const fineTuning = judge(model, project, mayFineTune)
  const inference = judge(model, project, mayInfer)
  return { allowed: fineTuning.answer === 'yes' && inference.answer === 'yes', fineTuning, inference }
}

/**
 * One alternative of the model's licence is enough (OR), and all its conditions hold together (AND). The project has to keep
 * its promise under each of its licences, whether its users may choose or not.
 */
function judge(model: LicenceExpression, project: LicenceExpression, rule: typeof mayFineTune): Verdict {
  if (project.kind !== 'licence') {
    return worst(judge(model, project.left, rule), judge(model, project.right, rule))
  }
  if (model.kind === 'licence') return rule(model, project)
  const left = judge(model.left, project, rule)
  const right = judge(model.right, project, rule)
  return model.kind === 'and' ? worst(left, right) : best(left, right)
}

const RANK: Readonly<Record<Answer, number>> = { no: 0, unknown: 1, yes: 2 }
const worst = (a: Verdict, b: Verdict) => (RANK[a.answer] <= RANK[b.answer] ? a : b)
const best = (a: Verdict, b: Verdict) => (RANK[a.answer] >= RANK[b.answer] ? a : b)

function mayFineTune(model: Licence, project: Licence): Verdict {
  const inbound = licenceText(model)
  const outbound = licenceText(project)
  const classOf = classOfLicence(model.id)
  if (classOf === 'no-derivatives' || /-ND(?:-|$)/.test(model.id)) {
    return { answer: 'no', reason: `${inbound} permits no derived works` }
  }
  if (inbound === outbound && classOf !== 'other') {
    return { answer: 'yes', reason: `the model and the project are both under ${inbound}` }
  }
  const letter = matrixLetter(inbound, outbound)
  if (letter === 'Y' || letter === 'S')
    return { answer: 'yes', reason: `${inbound} into ${outbound}: compatible (${MATRIX})` }
  if (letter === 'N') return { answer: 'no', reason: `${inbound} into ${outbound}: not compatible (${MATRIX})` }
  return ownRule(inbound, classOf, outbound, classOfLicence(project.id))
}

function ownRule(inbound: string, model: LicenceClass, outbound: string, project: LicenceClass): Verdict {
  switch (model) {
    case 'public-domain':
      return { answer: 'yes', reason: `${inbound} sets no condition` }
    case 'attribution':
      return project === 'other' || project === 'unclassified'
        ? {
            answer: 'unknown',
            reason: `nothing says whether ${outbound} keeps the attribution that ${inbound} asks for`,
          }
        : { answer: 'yes', reason: `${inbound} asks only for attribution, which ${outbound} permits` }
    case 'non-commercial':
      return project === 'non-commercial'
        ? { answer: 'unknown', reason: `${inbound} and ${outbound} are both non-commercial, with different terms` }
        : { answer: 'no', reason: `${inbound} forbids commercial use, which ${outbound} permits` }
    case 'use-restricted':
    case 'community':
      return project === 'other' || project === model
        ? { answer: 'unknown', reason: `nothing says whether ${outbound} passes on the restrictions of ${inbound}` }
        : { answer: 'no', reason: `${outbound} does not pass on the restrictions of use of ${inbound}` }
    case 'strong-copyleft':
      if (inbound === 'CC-BY-SA-4.0' && outbound.startsWith('GPL-3.0-')) {
        return {
          answer: 'yes',
          reason: 'Creative Commons lists GPL-3.0 as compatible with CC-BY-SA-4.0, in this direction',
        }
      }
      return inbound.startsWith('CC-BY-SA-')
        ? { answer: 'no', reason: `a work derived from ${inbound} has to stay under it` }
        : undecided(inbound, outbound)
    case 'permissive':
    case 'weak-copyleft':
    case 'network-copyleft':
    case 'no-derivatives':
    case 'unclassified':
    case 'other':
      return undecided(inbound, outbound)
  }
}

function mayInfer(model: Licence, project: Licence): Verdict {
  const inbound = licenceText(model)
  const outbound = licenceText(project)
  const classOf = classOfLicence(model.id)
  const projectClass = classOfLicence(project.id)
  switch (classOf) {
    case 'non-commercial':
      return projectClass === 'non-commercial'
        ? { answer: 'yes', reason: `${inbound} and ${outbound} are both non-commercial` }
        : { answer: 'no', reason: `${inbound} forbids commercial use, which ${outbound} permits` }
    case 'use-restricted':
    case 'community':
      if (inbound === outbound) return { answer: 'yes', reason: `the model and the project are both under ${inbound}` }
      if (/copyleft/.test(projectClass)) {
        return { answer: 'no', reason: `${inbound} restricts the use, and ${outbound} forbids further restrictions` }
      }
      return projectClass === 'other' || projectClass === 'unclassified'
        ? undecided(inbound, outbound)
        : { answer: 'yes', reason: `${outbound} lets a project depend on a model with the restrictions of ${inbound}` }
    case 'other':
    case 'unclassified':
      return undecided(inbound, outbound)
    case 'public-domain':
    case 'permissive':
    case 'attribution':
    case 'weak-copyleft':
    case 'strong-copyleft':
    case 'network-copyleft':
    case 'no-derivatives':
      return { answer: 'yes', reason: `${inbound} does not restrict running the model` }
  }
}

function undecided(inbound: string, outbound: string): Verdict {
  return { answer: 'unknown', reason: `nothing in OSADL's matrix or our rules decides ${inbound} into ${outbound}` }
}

const index = new Map(OSADL_IDS.map((id, position) => [id, position]))

function matrixLetter(inbound: string, outbound: string): string | undefined {
  const row = index.get(outbound)
  const column = index.get(inbound)
  return row === undefined || column === undefined ? undefined : OSADL_ROWS[row]?.[column]
}

import { beforeAll, describe, expect, it } from 'vitest'
import { PERMISSIONS, type Row } from '../src/testing/index.ts'
import { collectPolicies, decide, type Policies } from './support/iam.ts'

let policies: Policies
beforeAll(async () => {
  policies = await collectPolicies()
})

const title = ({ subject, action, resource, context }: Row) =>
  `${subject} ${action} ${resource}${context === undefined ? '' : ` ${JSON.stringify(context)}`}`

describe('permissions', () => {
  it.each(PERMISSIONS.map((row) => [title(row), row.expected, row] as const))('%s: %s', async (_, expected, row) => {
    const { verdict, ignored } = await decide(row, policies)
    expect(ignored, 'condition keys that were not evaluated').toEqual([])
    expect(verdict).toBe(expected)
  })

  it('has no row twice', () => {
    const titles = PERMISSIONS.map(title)
    expect(titles.filter((each, at) => titles.indexOf(each) !== at)).toEqual([])
  })
})

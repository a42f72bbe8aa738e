// Formats and parses the entity tags of a machine.
import { expect, test } from 'vitest'
import { toEtag, toRevisions } from '../../src/machines/machine.ts'

const pushed = { id: 42, delivery: 'push' } as const

test('a tag has the id, the revision and the view', () => {
  expect(toEtag({ ...pushed, revision: 7, my_role: 'manager', reported: null })).toBe('"42.7"')
  expect(toEtag({ ...pushed, revision: 7, my_role: 'operator', reported: null })).toBe('"42.7.operator"')
  expect(toEtag({ ...pushed, revision: 7, my_role: 'viewer', reported: null })).toBe('"42.7.viewer"')
  expect(toEtag({ ...pushed, revision: 7, my_role: null, reported: null })).toBe('"42.7.public"')
})

test('the tag of a machine that reports also says whether its last report is fresh', () => {
  const tags = [true, false].map((is_fresh) =>
    toEtag({ ...pushed, revision: 7, my_role: 'viewer', reported: { is_fresh } }),
  )
  expect(tags).toEqual(['"42.7.fresh.viewer"', '"42.7.stale.viewer"'])
  const own = [true, false].map((is_fresh) =>
    toEtag({ ...pushed, revision: 7, my_role: 'manager', reported: { is_fresh } }),
  )
  expect(toRevisions(own, 42)).toEqual([7, 7])
})

test('the tag also says that the machine fetches its commands, which is no change of the machine itself', () => {
  const fetched = { id: 42, revision: 7, delivery: 'pull' } as const
  const tags = [
    toEtag({ ...fetched, my_role: 'manager', reported: null }),
    toEtag({ ...fetched, my_role: 'manager', reported: { is_fresh: true } }),
  ]
  expect([...tags, toEtag({ ...fetched, my_role: 'viewer', reported: null })]).toEqual([
    '"42.7.pull"',
    '"42.7.fresh.pull"',
    '"42.7.pull.viewer"',
  ])
  expect(toRevisions(tags, 42)).toEqual([7, 7])
})

test('the revisions are parsed from the tags', () => {
  const etags = [7, 8, 10 ** 14].map((revision) => toEtag({ ...pushed, revision, my_role: 'manager', reported: null }))
  expect(toRevisions(etags, 42)).toEqual([7, 8, 10 ** 14])
})

test.each([
  ['of another machine', '"43.7"'],
  ['of the public view', '"42.7.public"'],
  ['written otherwise', '"42.07"'],
  ['without an id', '".7"'],
  ['with another part in front', '"1.42.7"'],
  ['with another mark', '"42.7.old"'],
  ['with two marks', '"42.7.fresh.stale"'],
  ['with a mark twice', '"42.7.pull.pull"'],
  ['that is not a number', '"42.NaN"'],
  ['with a sign', '"42.-7"'],
  ['with a number larger than bigint', `"42.${'9'.repeat(30)}"`],
  ['that is empty', '""'],
  ['without quotes', '42.7'],
])('a tag %s names no revision', (_, etag) => {
  expect(toRevisions([etag], 42)).toEqual([])
})

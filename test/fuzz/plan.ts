// Plans requests from the document before any is sent, so that a seed reproduces them. Values that only a running server
// knows (ids, tokens, cursors) are chosen later: `pick` selects one of the values known by then.
import fc from 'fast-check'
import { type BodyPlan, bodies, headers, ownHeaders, queries, seldom, strangeIds } from './inputs.ts'
import { type FuzzOperation, operations } from './operations.ts'

export type Plan = BodyPlan & {
  operation: FuzzOperation
  method: string
  /** Which of the callers. */
  caller: number
  token: 'own' | 'none' | 'junk' | 'refresh'
  pick: number
  /** In the path, instead of a known id. */
  strangeId: string | undefined
  query: [name: string, value: string][]
  headers: Record<string, string>
}

/** Operations that hash a password, or delete what others need, are rare. */
const rare = new Set([
  'signUp',
  'logIn',
  'changePassword',
  'logOut',
  'endSession',
  'changeAccountRights',
  'deleteMachine',
  'deleteSite',
  'resetPassword',
  'createAccount',
  'deleteMe',
])
/** Pages that are the same for everybody. */
const plain = /^(readHealth|readReadiness|read.*Document|.*Problems?|readPublicKeys)$/
const weightOf = ({ id }: FuzzOperation) => {
  if (id === 'operateMachine') return 12 // most others need jobs
  return rare.has(id) ? 2 : plain.test(id) ? 1 : 6
}

function plansOf(operation: FuzzOperation): fc.Arbitrary<Plan> {
  return fc
    .record({
      method: fc.constantFrom(
        ...(operation.method === 'GET' ? [...Array(20).fill('GET'), 'HEAD'] : [operation.method]),
      ),
      caller: fc.nat(3),
      token: fc.constantFrom<Plan['token'][]>(...Array(24).fill('own'), 'none', 'junk', 'refresh'),
      pick: fc.noBias(fc.nat(1_000_000)),
      strangeId: seldom(fc.constantFrom(...strangeIds)),
      query: queries(operation),
      common: headers,
      own: ownHeaders(operation),
      content: bodies(operation),
    })
    .map(({ common, own, content, ...rest }) => ({
      operation,
      ...rest,
      headers: { ...common, ...own },
      ...content,
    }))
}

const anyPlan = fc.oneof(
  ...operations.map((operation) => ({ weight: weightOf(operation), arbitrary: plansOf(operation) })),
)

/** One series of requests, which depends only on the seed and the number. */
export function planChapter(seed: number, chapter: number, length: number): Plan[] {
  return fc.sample(anyPlan, { seed: seed + 7919 * chapter, numRuns: length })
}

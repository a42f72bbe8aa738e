// What an API key may do: every operation with every scope. An operation without a line here fails.
import { beforeAll, describe, expect, test } from 'vitest'
import { type Scope, scopes } from '../../src/kernel/scope.ts'
import { makeKey, sessionIdOf, type TestKey } from '../accounts/people.ts'
import type { Person, TestMachine, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createSite, type Site } from '../sites/places.ts'
import { endpoints, exampleOf, expectProblem, fill, takesBearer, takesKeyOnly } from './endpoints.ts'

/** The scopes each of which suffices. Empty: no key may do it. */
const allowed: Record<string, readonly Scope[]> = {
  logOut: [],
  readMe: [],
  changeMe: [],
  exportMe: [],
  deleteMe: [],
  changePassword: [],
  listSessions: [],
  endSession: [],
  listAccounts: [],
  changeAccountRights: [],
  createAccount: [],
  issuePasswordReset: [],
  listKeys: [],
  createKey: [],
  revokeKey: [],
  listAuditEvents: [],
  listHolds: ['read'],
  placeHold: [],
  removeHold: [],
  overrideHold: [],
  readPreflight: ['read'],
  listSites: ['read'],
  createSite: ['manage'],
  readSite: ['read'],
  changeSite: ['manage'],
  deleteSite: ['manage'],
  listSiteMembers: [],
  putSiteMember: [],
  removeSiteMember: [],
  listMachineMembers: [],
  putMachineMember: [],
  removeMachineMember: [],
  listMachines: ['read'],
  listBoard: ['read'],
  followChanges: ['read'],
  createMachine: ['manage'],
  readMachine: ['read'],
  replaceMachine: ['manage'],
  changeMachine: ['manage'],
  deleteMachine: ['manage'],
  checkController: ['manage'],
  listMachineJobs: ['read'],
  listMachineStatuses: ['read'],
  listMyJobs: ['read'],
  readJob: ['read'],
  listJobEvents: ['read'],
  cancelJob: ['start', 'stop'],
  reportMachine: ['report'],
  reportMachinesOfSite: ['report'],
  'operateMachine START': ['start'],
  'operateMachine STOP': ['stop'],
}

/** The operations of the document; those whose body decides about the scope have a line for each body. */
const operations = endpoints
  .filter(({ operation }) => takesBearer(operation) || takesKeyOnly(operation))
  .flatMap((endpoint) => {
    const name = endpoint.operation.operationId ?? ''
    if (name !== 'operateMachine') return [{ name, ...endpoint, body: exampleOf(endpoint.operation) }]
    return ['START', 'STOP'].map((command) => ({ name: `${name} ${command}`, ...endpoint, body: { command } }))
  })

const scopesInDocument = (security: Record<string, string[]>[]) => security.flatMap(({ key = [] }) => key)

test('every operation has a line here, and the document agrees with it', () => {
  expect(operations.map(({ name }) => name).toSorted()).toEqual(Object.keys(allowed).toSorted())
  for (const { operation } of operations) {
    const lines = Object.entries(allowed).filter(([name]) => name.split(' ')[0] === operation.operationId)
    expect([operation.operationId, scopesInDocument(operation.security)]).toEqual([
      operation.operationId,
      [...new Set(lines.flatMap(([, suffice]) => suffice))],
    ])
  }
})

describe('an API key', () => {
  let world: World
  let keyOwner: Person
  let keys: Record<string, TestKey>
  let siteOfKey: Site
  let machineOfKey: TestMachine
  /** For the requests that are refused, which change nothing. */
  let kept: { site: number; machine: number; job: string }
  beforeAll(async () => {
    world = await useQuietWorld()
    keyOwner = await world.signUpStaff()
    siteOfKey = await createSite(keyOwner)
    machineOfKey = await world.createMachine(keyOwner, { site_id: siteOfKey.id })
    const made = await Promise.all(
      scopes.map(async (scope) => {
        const limit = scope === 'report' ? { site_id: siteOfKey.id } : {}
        return [scope, await makeKey(world, keyOwner, { scopes: [scope], ...limit })]
      }),
    )
    keys = Object.fromEntries(made)
    kept = { site: await makeSite(), machine: await makeMachine(), job: await makeJob() }
  })

  const keyWith = (scope: Scope): TestKey => keys[scope] as TestKey // one is made for each scope

  const makeSite = async (): Promise<number> => (await createSite(keyOwner)).id
  const makeMachine = async (): Promise<number> => (await world.createMachine(keyOwner)).id
  const makeJob = async (): Promise<string> => (await world.operate(keyOwner, await makeMachine(), 'START')).body.id

  /** The id of a resource that the account of the key may use, so that only the scope can be the reason of a refusal. */
  async function idFor(path: string, scope: Scope, isAllowed: boolean): Promise<string | number> {
    if (path.startsWith('/api/accounts')) return keyOwner.id
    if (path.startsWith('/api/me/sessions')) return sessionIdOf(keyOwner.access)
    if (path.startsWith('/api/keys')) return keyWith(scope).id
    if (path.endsWith('/reports')) return path.startsWith('/api/sites') ? siteOfKey.id : machineOfKey.id
    if (path.startsWith('/api/sites')) return isAllowed ? makeSite() : kept.site
    if (path.startsWith('/api/jobs')) return isAllowed ? makeJob() : kept.job
    return isAllowed ? makeMachine() : kept.machine
  }

  const rows = operations.flatMap((each) => scopes.map((scope) => [each.name, scope, each] as const))
  test.each(rows)('%s with the scope %s', async (name, scope, { method, path, body }) => {
    const suffice = allowed[name] ?? []
    const id = path.includes('{') ? await idFor(path, scope, suffice.includes(scope)) : ''
    const options = body === undefined ? {} : { body }
    const answer = await keyWith(scope).request(method, fill(path, id), options)
    if (suffice.includes(scope)) expect([answer.status < 300, answer.text]).toEqual([true, answer.text])
    else if (suffice.length === 0) expectProblem(answer, 403, 'key_not_allowed')
    else {
      expectProblem(answer, 403, 'scope_missing')
      expect(answer.body.detail).toBe(`The key needs the scope ${suffice.join(' or ')}.`)
    }
  })
})

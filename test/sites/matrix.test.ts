// Role × operation: each role may do what it may, and nothing else, for every operation of the document.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Role } from '../../src/sites/role.ts'
import { endpoints } from '../contract/endpoints.ts'
import type { Person, TestMachine, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createMachineIn, createSite, grant, type Site } from './places.ts'

/** The lowest role for an operation on a machine or a site. `no`: a role does not matter to it. */
const lowest: Record<string, Role | 'no'> = {
  ...Object.fromEntries(
    [
      ...['readHealth', 'readReadiness', 'readOpenApiDocument', 'listProblems'],
      ...['readProblem', 'readPublicKeys', 'signUp', 'logIn', 'logOut', 'refreshToken', 'readMe', 'changeMe'],
      ...['changePassword', 'listSessions', 'endSession', 'listAccounts', 'changeAccountRights'],
      ...['createAccount', 'issuePasswordReset', 'resetPassword'],
      ...['listKeys', 'createKey', 'revokeKey', 'listAuditEvents', 'exportMe', 'deleteMe', 'removeHold'],
      ...['listSites', 'createSite', 'listMachines', 'createMachine', 'listMyJobs', 'listBoard', 'followChanges'],
      ...['deliverJob', 'handleFailedJob', 'reportOutcome'],
      // Only with a key: test/jobs/reports.test.ts has what its account must be.
      ...['reportMachine', 'reportMachinesOfSite'],
    ].map((name) => [name, 'no'] as const),
  ),
  readMachine: 'viewer',
  listMachineJobs: 'viewer',
  listMachineStatuses: 'viewer',
  readJob: 'viewer',
  listJobEvents: 'viewer',
  listHolds: 'viewer',
  readPreflight: 'viewer',
  placeHold: 'operator',
  overrideHold: 'manager',
  operateMachine: 'operator',
  cancelJob: 'operator',
  replaceMachine: 'manager',
  changeMachine: 'manager',
  deleteMachine: 'manager',
  checkController: 'manager',
  listMachineMembers: 'manager',
  putMachineMember: 'manager',
  removeMachineMember: 'manager',
  readSite: 'viewer',
  changeSite: 'manager',
  deleteSite: 'manager',
  listSiteMembers: 'manager',
  putSiteMember: 'manager',
  removeSiteMember: 'manager',
}

const callers = ['nobody', 'viewer', 'operator', 'manager'] as const

let world: World
let owner: Person
let colleague: Person
let site: Site
const people = {} as Record<(typeof callers)[number], Person> // filled before the tests
beforeAll(async () => {
  world = await useQuietWorld()
  owner = await world.signUp()
  colleague = await world.signUp()
  site = await createSite(owner)
  for (const caller of callers) {
    people[caller] = await world.signUp()
    if (caller !== 'nobody') expect((await grant(owner, site.path, people[caller], caller)).status).toBe(201)
  }
})

test('every operation of the document has a line', () => {
  expect(Object.keys(lowest).toSorted()).toEqual(endpoints.map(({ operation }) => operation.operationId).toSorted())
})

type Request = { method: string; path: string; body?: unknown }

/** A request that a caller with the role can make successfully, on things of its own. */
async function requestOf(id: string, machine: TestMachine): Promise<Request> {
  const [method = '', path = ''] = endpoints
    .filter(({ operation }) => operation.operationId === id)
    .flatMap((endpoint) => [endpoint.method, endpoint.path])
  const isOfSite = path.startsWith('/api/sites')
  const place = isOfSite ? await createSite(owner) : site
  if (isOfSite) {
    for (const caller of ['viewer', 'operator', 'manager'] as const)
      await grant(owner, place.path, people[caller], caller)
  }
  const placePath = isOfSite ? place.path : `/api/machines/${machine.id}`
  if (id.startsWith('remove')) await grant(owner, placePath, colleague, 'viewer')
  const bodies: Record<string, unknown> = {
    operateMachine: { command: 'START' },
    placeHold: { reason: 'at the machine' },
    overrideHold: { reason: 'nobody is there', absence_verified: true, contact_tried: true },
    cancelJob: {},
    replaceMachine: { name: 'New', location: 'New', controller_url: machine.url },
    changeMachine: { name: 'New' },
    changeSite: { name: 'New' },
    putSiteMember: { username: colleague.username, role: 'viewer' },
    putMachineMember: { username: colleague.username, role: 'viewer' },
  }
  const jobId = path.startsWith('/api/jobs') ? (await world.operate(owner, machine.id, 'START')).body.id : ''
  const hold =
    id === 'overrideHold'
      ? (await owner.request('POST', `/api/machines/${machine.id}/holds`, { body: { reason: 'here' } })).body
      : {}
  const query = id === 'readPreflight' ? '?command=START' : ''
  const filled = path
    .replace('{account_id}', String(colleague.id))
    .replace('{hold}', String(hold.id))
    .replace('{id}', String(jobId || (isOfSite ? place.id : machine.id)))
  return { method, path: `${filled}${query}`, ...(bodies[id] !== undefined && { body: bodies[id] }) }
}

const guarded = Object.entries(lowest).flatMap(([id, role]) => (role === 'no' ? [] : [[id, role] as const]))

describe.each(['site', 'machine'] as const)('a role on the %s', (place) => {
  const applicable = guarded.filter(([id]) => place === 'site' || !id.includes('Site'))

  test.each(applicable)('%s needs the role %s', async (id, needed) => {
    const make = async () => {
      const machine = place === 'site' ? await createMachineIn(world, site, owner) : await world.createMachine(owner)
      return { machine, request: await requestOf(id, machine) }
    }
    const kept = await make()
    for (const caller of callers) {
      const isAllowed = callers.indexOf(caller) >= callers.indexOf(needed)
      // What a request changes is its own. A request that is refused, or only reads, changes nothing.
      const { machine, request } = isAllowed && kept.request.method !== 'GET' ? await make() : kept
      if (place === 'machine' && caller !== 'nobody') {
        await grant(owner, `/api/machines/${machine.id}`, people[caller], caller)
      }
      const { method, path, body } = request
      const { status, body: answer } = await people[caller].request(method, path, body === undefined ? {} : { body })
      // Everybody can read a machine that is in no site.
      if (isAllowed || (place === 'machine' && id === 'readMachine'))
        expect([caller, status < 300]).toEqual([caller, true])
      else if (caller !== 'nobody') expect([caller, status, answer.code]).toEqual([caller, 403, 'role_too_low'])
      else if (place === 'site' || path.startsWith('/api/jobs'))
        expect([status, answer.code]).toEqual([404, 'not_found'])
      else expect([status, answer.code]).toEqual([403, 'not_owner'])
    }
  })
})

test('my_role says the role, and only a manager sees the controller', async () => {
  const machine = await createMachineIn(world, site, owner)
  const seen = []
  for (const caller of ['viewer', 'operator', 'manager'] as const) {
    const { body } = await people[caller].request('GET', `/api/machines/${machine.id}`)
    const [listed] = (await people[caller].request('GET', `/api/machines?site_id=${site.id}&sort=-id&limit=1`)).body
      .items
    expect(listed).toEqual(body)
    seen.push([body.my_role, body.controller_url !== null])
  }
  expect(seen).toEqual([
    ['viewer', false],
    ['operator', false],
    ['manager', true],
  ])
})

// Access to every endpoint: without a token, with an ended session, and to resources of others.

import { createHmac, randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { makeKey, sessionIdOf } from '../accounts/people.ts'
import type { Person } from '../harness.ts'
import { keepMessages } from '../platform/faults.ts'

import {
  type EndpointWorld,
  endpoints,
  exampleOf,
  expectProblem,
  fill,
  isQueue,
  named,
  takesBearer,
  takesBody,
  takesKeyOnly,
  takesOutcome,
  useEndpointWorld,
} from './endpoints.ts'
import type { Operation } from './openapi-assertion.ts'

let here: EndpointWorld
beforeAll(async () => {
  here = await useEndpointWorld()
})

describe('an endpoint that needs a token', () => {
  test.each(named((operation) => takesBearer(operation) || takesKeyOnly(operation) || takesOutcome(operation)))(
    'answers 401 without a token: %s',
    async (_, { method, path, operation }) => {
      const options = takesBody(operation) ? { body: exampleOf(operation) } : {}
      const missing = await here.world.request(method, fill(path), options)
      expectProblem(missing, 401, 'token_missing')
      expect(missing.headers.get('WWW-Authenticate')).toBe('Bearer')
      const bad = await here.world.request(method, fill(path), { ...options, token: 'not.a.token' })
      expectProblem(bad, 401, 'token_invalid')
      expect(bad.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
    },
  )
})

describe('an endpoint that needs a session', () => {
  const endings: [string, (person: Person) => Promise<unknown>][] = [
    ['has been ended', (person) => person.request('POST', '/api/log-out')],
    ['has expired', (person) => update('sessions SET expires_at = now() WHERE account_id = $1', person)],
    ['belongs to a disabled account', (person) => update('accounts SET is_active = false WHERE id = $1', person)],
  ]
  const update = (change: string, { id }: Person) => here.world.postgres.query(`UPDATE ${change}`, [id])

  describe.each(endings)('which %s', (_, end) => {
    let person: Person
    beforeAll(async () => {
      person = await here.world.signUpStaff()
      await end(person)
    })

    test.each(named(takesBearer))('answers 401: %s', async (_name, { method, path, operation }) => {
      const body = exampleOf(operation)
      const answer = await person.request(method, fill(path), body === undefined ? {} : { body })
      expectProblem(answer, 401, 'session_ended')
      expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
    })
  })
})

/** Who may use an endpoint. `own`: it concerns only the caller. `refusal`: the answer to everyone not in `serves`. */
type Access =
  | 'public'
  | 'signed in'
  | 'own'
  | 'queue'
  | 'controller'
  | 'machine'
  | { refusal: [status: number, code: string]; serves: ('owner' | 'staff')[] }

const notOwner: Access = { refusal: [403, 'not_owner'], serves: ['owner', 'staff'] }
const notThere: Access = { refusal: [404, 'not_found'], serves: ['owner', 'staff'] }
const staffOnly: Access = { refusal: [403, 'staff_only'], serves: ['staff'] }

/** One entry per endpoint, by its operationId. */
const access: Record<string, Access> = {
  readHealth: 'public',
  readReadiness: 'public',
  readOpenApiDocument: 'public',
  listProblems: 'public',
  readProblem: 'public',
  signUp: 'public',
  resetPassword: 'public',
  logIn: 'public',
  refreshToken: 'public',
  readPublicKeys: 'public',
  logOut: 'own',
  readMe: 'own',
  changeMe: 'own',
  changePassword: 'own',
  listSessions: 'own',
  endSession: { refusal: [404, 'not_found'], serves: ['owner'] },
  listKeys: 'own',
  createKey: 'own',
  revokeKey: { refusal: [404, 'not_found'], serves: ['owner'] },
  listAccounts: staffOnly,
  changeAccountRights: staffOnly,
  createAccount: staffOnly,
  issuePasswordReset: staffOnly,
  listSites: 'own',
  listAuditEvents: 'own',
  exportMe: 'own',
  deleteMe: 'own',
  createSite: 'own',
  readSite: notThere,
  changeSite: notThere,
  deleteSite: notThere,
  listSiteMembers: notThere,
  putSiteMember: notThere,
  removeSiteMember: notThere,
  listMachineMembers: notOwner,
  putMachineMember: notOwner,
  removeMachineMember: notOwner,
  listMachines: 'signed in',
  listBoard: 'signed in',
  followChanges: 'signed in',
  createMachine: 'own',
  readMachine: 'signed in',
  replaceMachine: notOwner,
  changeMachine: notOwner,
  deleteMachine: notOwner,
  checkController: notOwner,
  operateMachine: notOwner,
  listHolds: notOwner,
  placeHold: notOwner,
  removeHold: { refusal: [404, 'not_found'], serves: ['owner'] },
  overrideHold: notOwner,
  readPreflight: notOwner,
  listMachineJobs: notOwner,
  listMachineStatuses: notOwner,
  listMyJobs: 'own',
  readJob: notThere,
  listJobEvents: notThere,
  cancelJob: notThere,
  deliverJob: 'queue',
  handleFailedJob: 'queue',
  reportOutcome: 'controller',
  reportMachine: 'machine',
  reportMachinesOfSite: 'machine',
}

describe('every endpoint', () => {
  const schemes: Record<string, string[]> = { public: [], queue: ['queue'], controller: ['outcome'], machine: [] }

  test('has an entry here, and the document agrees with it', () => {
    expect(Object.keys(access).toSorted()).toEqual(endpoints.map(({ operation }) => operation.operationId).toSorted())
    for (const { operation } of endpoints) {
      const who = access[operation.operationId ?? '']
      // test/contract/key-scopes.test.ts has the scopes of keys.
      if (who === 'machine') expect(takesKeyOnly(operation)).toBe(true)
      const described = operation.security.flatMap((each) => Object.keys(each)).filter((scheme) => scheme !== 'key')
      const expected = (typeof who === 'string' && schemes[who]) || ['bearer']
      expect([operation.operationId, described]).toEqual([operation.operationId, expected])
    }
  })

  let usualOwner: Person
  let stranger: Person
  beforeAll(async () => {
    usualOwner = await here.world.signUp()
    stranger = await here.world.signUp()
  })

  const guarded = endpoints.flatMap((endpoint) => {
    const who = access[endpoint.operation.operationId ?? '']
    return typeof who === 'object' ? [[`${endpoint.method} ${endpoint.path}`, endpoint, who] as const] : []
  })

  test.each(guarded)(
    'refuses callers without permission, and changes nothing: %s',
    async (_, { method, path, operation }, { refusal, serves }) => {
      const [status, code] = refusal
      for (const who of serves) {
        // A separate account only for endpoints that change accounts and sessions, because a sign-up is slow.
        const owner = /accounts|sessions/.test(path) ? await here.world.signUp() : usualOwner
        const thing = await makeThing(path, owner)
        const body = method === 'GET' || method === 'DELETE' ? undefined : (thing.body ?? exampleOf(operation))
        const ask = async (person: Person, filled: string) =>
          person.request(method, filled, body === undefined ? {} : { body })
        const filled = fill(path, ...thing.ids)
        expectProblem(await ask(stranger, filled), status, code)
        // A one-time action, such as cancelling, still works: the stranger did not execute it.
        expect((await ask(who === 'owner' ? owner : here.staff, filled)).status).toBeLessThan(300)
      }
    },
  )

  type Thing = { ids: (string | number)[]; body?: unknown }

  /** The owner's resource that the path needs: its ids in the path, and a body if the example does not fit. */
  async function makeThing(path: string, owner: Person): Promise<Thing> {
    if (path === '/api/accounts') return { ids: [], body: newAccount() }
    // Not the example, which has a password that is not the caller's.
    if (path.endsWith('/password-reset')) return { ids: [owner.id], body: {} }
    if (path.startsWith('/api/accounts')) return { ids: [owner.id] }
    if (path.startsWith('/api/me/sessions')) return { ids: [sessionIdOf(owner.access)] }
    if (path.startsWith('/api/keys')) return { ids: [(await makeKey(here.world, owner)).id] }
    const isSite = path.startsWith('/api/sites')
    const { id } = isSite ? await makeSite(owner) : await here.world.createMachine(owner)
    if (path.includes('/members')) return makeMember(owner, path.replace('{id}', String(id)), id)
    if (path.includes('{hold}')) return { ids: [id, await makeHold(owner, id)] }
    if (isSite || path.startsWith('/api/machines')) return { ids: [id] }
    here.world.faults.qstash.pass = keepMessages
    const { body: job } = await here.world.operate(owner, id, 'START')
    return { ids: [job.id] }
  }

  /** Not the example, whose name another test may have taken. */
  function newAccount() {
    const username = `p-${randomUUID()}`
    return { username, email: `${username}@example.com` }
  }

  const makeSite = async (owner: Person): Promise<{ id: number }> =>
    (await owner.request('POST', '/api/sites', { body: { name: '1공장' } })).body

  async function makeHold(owner: Person, id: number): Promise<number> {
    const { body: hold } = await owner.request('POST', `/api/machines/${id}/holds`, { body: { reason: 'here' } })
    return hold.id
  }

  async function makeMember(owner: Person, path: string, id: number): Promise<Thing> {
    const { username } = await here.world.signUp()
    const grant = { username, role: 'operator' }
    const { body: member } = await owner.request('POST', path.replace(/\/\{.*/, ''), { body: grant })
    return { ids: [id, member.account_id], body: grant }
  }
})

describe('an endpoint that needs no token', () => {
  const needsNone = (operation: Operation) => operation.security.length === 0
  test.each(named(needsNone))('ignores the Authorization header: %s', async (_, endpoint) => {
    for (const Authorization of ['nonsense', 'Bearer not.a.token', 'Basic eDp5']) {
      const answer = await here.call(endpoint, { headers: { Authorization } })
      expect(['token_missing', 'token_invalid']).not.toContain(
        endpoint.operation.operationId === 'refreshToken' ? undefined : answer.body?.code,
      )
      expect(answer.status).toBeLessThan(500)
    }
  })
})

describe('an endpoint of the queue', () => {
  test.each(named(isQueue))('answers 401 without a signature of QStash: %s', async (_, { method, path }) => {
    const body = { job_id: randomUUID() }
    const forged = ['', 'x.y.z', createHmac('sha256', 'a key').update(JSON.stringify(body)).digest('base64url')]
    for (const signature of [undefined, ...forged]) {
      const headers = signature === undefined ? {} : { 'Upstash-Signature': signature }
      const answer = await here.world.request(method, path, { body, headers })
      expectProblem(answer, 401, 'bad_signature')
      expect(answer.headers.has('WWW-Authenticate')).toBe(true)
    }
  })
})

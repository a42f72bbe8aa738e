// The people and machines of the fuzzer. Turns a plan into a request of one of them.
import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { makeKey } from '../accounts/people.ts'
import type { Answer, Person, RequestOptions, World } from '../harness.ts'

import type { BehaviourOrder } from '../platform/controller/behaviour.ts'
import { keepMessages, open } from '../platform/faults.ts'
import { signDelivery } from '../platform/qstash/signature.ts'
import { Knowledge } from './knowledge.ts'
import type { Plan } from './plan.ts'

export type FuzzRequest = { method: string; path: string; options: RequestOptions }

/** Behaviours of controllers, all of them fast. */
const behaviours: BehaviourOrder[] = [
  { mode: 'obey' },
  { mode: 'warm-up', after_ms: 200 },
  { mode: 'fail', status: 200, body: { result: 'PENDING' } },
  { mode: 'refuse' },
  { mode: 'fail', status: 500 },
  { mode: 'fail', status: 503 },
  { mode: 'fail', status: 200, body: { result: 'SUCCESS', detail: `\0${'🏭'.repeat(2_000)}` } },
  { mode: 'garbage' },
  { mode: 'away' },
  { mode: 'redirect' },
]

const unknownNumber = '999999998'
const unknownUuid = '0198c0de-7c1a-7000-8000-00000000beef'
const staffIndex = 3

export class Fleet {
  readonly #world: World
  readonly #known = new Knowledge()
  readonly #controllerUrls: string[]
  #callers: Person[] = []
  /** By the id of the person: a key with which a machine of hers, in a site, reports. */
  readonly #reporters = new Map<number, { secret: string; machineId: number; siteId: number }>()

  constructor(world: World) {
    this.#world = world
    this.#controllerUrls = behaviours.map((order, index) => {
      const machine = world.controller.machine(`fuzz-${index}`)
      machine.behave(order)
      return machine.url
    })
  }

  /**
   * Signs up three people and one staff member to replace those who have lost a right, a session or the account. Every
   * other time the queue delivers nothing, so that jobs stay open.
   */
  async renew(chapter: number): Promise<void> {
    const { signUp, signUpStaff, faults, createUnconfirmedMachine } = this.#world
    this.#callers = [await signUp(), await signUp(), await signUp(), await signUpStaff()]
    for (const caller of this.#callers) this.#meet(caller)
    // One owns nothing, and can delete the account.
    for (const owner of this.#callers.toSpliced(1, 1)) {
      for (const controller_url of this.#controllerUrls.slice(0, 3)) {
        this.#known.addId(
          'machines',
          (await createUnconfirmedMachine(owner, { controller_url: `${controller_url}?${owner.id}` })).id,
          owner.id,
        )
      }
    }
    for (const owner of this.#callers) await this.#addReporter(owner)
    faults.qstash.pass = chapter % 2 > 0 ? keepMessages : open
    await this.#world.sweep()
  }

  /** A machine without an address, which fetches its commands. */
  async #addReporter(owner: Person): Promise<void> {
    if (owner === this.#callers[1]) return // she owns nothing
    const { id: siteId } = (await owner.request('POST', '/api/sites', { body: { name: 'Fuzz' } })).body
    const settings = { controller_url: null, site_id: siteId }
    const { id: machineId } = await this.#world.createUnconfirmedMachine(owner, settings)
    const { secret } = await makeKey(this.#world, owner, { scopes: ['report'], site_id: siteId })
    this.#known.addId('machines', machineId, owner.id)
    this.#reporters.set(owner.id, { secret, machineId, siteId })
  }

  #meet({ id, access, refresh }: Person): void {
    this.#known.addId('accounts', id)
    this.#known.addId('sessions', decodeJwt(access).sid, id)
    this.#known.addRefreshToken(refresh)
  }

  #caller(index: number): Person {
    const caller = this.#callers[index % this.#callers.length]
    if (!caller) throw new TypeError('nobody has signed up yet')
    return caller
  }

  /** Builds the request of a plan with the values known now. */
  prepare(plan: Plan): FuzzRequest {
    const { operation, pick, query } = plan
    const outcome = operation.scheme === 'outcome' ? this.#known.takeOutcomeToken(pick) : undefined
    const path =
      this.#memberPath(plan) ??
      this.#holdPath(plan) ??
      operation.path.replaceAll(/\{.+?\}/g, () => plan.strangeId ?? outcome?.jobId ?? this.#id(plan))
    const search = new URLSearchParams(query.map(([name, value]) => [name, this.#parameter(plan, path, name, value)]))
    const headers = Object.fromEntries(
      Object.entries(plan.headers).map(([name, value]) => [name, this.#header(plan, path, name, value)]),
    )
    const body = plan.isInformed ? this.#inform(plan) : plan.body
    const sent =
      body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    if (operation.scheme === 'queue' && plan.token === 'own') {
      headers['Upstash-Signature'] = this.#sign(operation.path, sent ?? '')
    }
    const token = this.#token(plan, outcome?.token)
    return {
      method: plan.method,
      path: query.length > 0 ? `${path}?${search}` : path,
      options: { token, headers, ...(sent !== undefined && { body: sent }) },
    }
  }

  /** Of a member that exists, for an operation on a member. */
  #memberPath({ operation: { path }, caller, pick, strangeId }: Plan): string | undefined {
    if (!path.endsWith('/{account_id}') || strangeId !== undefined) return undefined
    const kind = path.startsWith('/api/sites') ? 'site members' : 'machine members'
    return this.#known.takeId(kind, pick, this.#caller(caller).id)
  }

  /** Of a hold that is known, for an operation on a hold. */
  #holdPath({ operation: { path }, caller, pick, strangeId }: Plan): string | undefined {
    const [, rest] = /\/holds\/\{hold\}(.*)$/.exec(path) ?? []
    if (rest === undefined || strangeId !== undefined) return undefined
    const hold = this.#known.takeId('holds', pick, this.#caller(caller).id)
    return hold && `${hold}${rest}`
  }

  #id({ operation: { path, scheme }, caller, pick }: Plan): string {
    const { id } = this.#caller(caller)
    const reporter = scheme === 'key' && pick % 8 > 0 && this.#reporters.get(id)
    if (reporter) return String(path.startsWith('/api/sites/') ? reporter.siteId : reporter.machineId)
    if (path.includes('/problems/')) return this.#known.takeCode(pick) ?? 'not_found'
    if (path.includes('/jobs/')) return this.#known.takeId('jobs', pick, id) ?? unknownUuid
    if (path.includes('/sessions/')) return this.#known.takeId('sessions', pick, id) ?? unknownUuid
    if (path.includes('/keys/')) return this.#known.takeId('keys', pick, id) ?? unknownUuid
    const kind = path.includes('/accounts/') ? 'accounts' : path.includes('/sites/') ? 'sites' : 'machines'
    return this.#known.takeId(kind, pick, id) ?? unknownNumber
  }

  #parameter({ caller, pick }: Plan, path: string, name: string, value: string): string {
    const { id } = this.#caller(caller)
    if (name === 'cursor' && pick % 4 > 0) return this.#known.takeCursor(path, pick) ?? value
    if (/owner_id|requested_by/.test(name) && pick % 2 > 0) return this.#known.takeId('accounts', pick, id) ?? value
    return value
  }

  #header({ pick }: Plan, path: string, name: string, value: string): string {
    if (value !== 'known') return value
    if (name === 'Idempotency-Key') return pick % 2 > 0 ? randomUUID() : `key-${pick % 20}`
    return this.#known.takeEtag(path, pick) ?? '*'
  }

  #token({ operation, caller, token }: Plan, outcome: string | undefined): string | undefined {
    const person = this.#caller(caller)
    if (operation.scheme === undefined || operation.scheme === 'queue' || token === 'none') return undefined
    if (token === 'junk') return `${person.access.slice(0, -4)}AAAA`
    if (token === 'refresh') return person.refresh
    if (operation.scheme === 'key') return this.#reporters.get(person.id)?.secret ?? person.access
    return operation.scheme === 'outcome' ? outcome : person.access
  }

  /** Replaces placeholders in the body by known values. */
  #inform({ operation, caller, pick, body }: Plan): unknown {
    const { username, password } = this.#caller(pick)
    const jobId = this.#known.takeId('jobs', pick, this.#caller(caller).id)
    const members: Record<string, unknown> = { ...(body as object) } // such plans have objects
    if (operation.id === 'logIn') Object.assign(members, { username, password })
    if ('scopes' in members) {
      const own = pick % 2 > 0 ? this.#known.takeId('machines', pick, this.#caller(caller).id) : undefined
      Object.assign(members, { machine_id: own === undefined ? null : Number(own), site_id: null, expires_at: null })
    } else if ('role' in members) Object.assign(members, { username, expires_at: null })
    if (typeof members.outcome === 'object') Object.assign(members.outcome ?? {}, { job_id: jobId ?? unknownUuid })
    if (typeof members.site_id === 'number')
      members.site_id = Number(this.#known.takeId('sites', pick, this.#caller(caller).id) ?? 1)
    if ('current_password' in members) members.current_password = this.#caller(caller).password
    if ('reset_token' in members) members.reset_token = this.#known.takeResetToken(pick) ?? ''
    if ('refresh' in members) members.refresh = this.#known.takeRefreshToken(pick)
    if ('job_id' in members) members.job_id = jobId
    if ('sourceBody' in members) members.sourceBody = btoa(JSON.stringify({ job_id: jobId }))
    if (typeof members.controller_url === 'string') {
      members.controller_url = this.#controllerUrls[pick % this.#controllerUrls.length]
    }
    return members
  }

  #sign(path: string, body: string | Uint8Array): string {
    const { qstash, url } = this.#world
    return signDelivery(qstash.currentSigningKey, `${url}${path}`, Buffer.from(body), Date.now())
  }

  /** Stores the values of an answer that later requests can use. */
  async learn({ operation, caller, token }: Plan, { path, options }: FuzzRequest, answer: Answer): Promise<void> {
    this.#known.learn(path, answer, this.#caller(caller).id)
    if (operation.id === 'changePassword' && answer.status === 204) {
      this.#caller(caller).password = JSON.parse(String(options.body)).new_password
    }
    for (const { body } of this.#world.requestsTo('controller')) {
      const { job_id, outcome_token } = JSON.parse(body.toString())
      if (job_id !== undefined) this.#known.addOutcomeToken(job_id, outcome_token) // otherwise it is a CONFIRM
    }
    this.#world.exchanges.length = 0
    // Replaces a person whose token is no longer valid by a new one.
    if (answer.status !== 401 || token !== 'own' || operation.scheme !== 'bearer') return
    const index = caller % this.#callers.length
    const person = await (index === staffIndex ? this.#world.signUpStaff() : this.#world.signUp())
    this.#callers[index] = person
    this.#meet(person)
  }
}

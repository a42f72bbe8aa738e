// Who hears of a change: the filter of the stream agrees with what the API shows, for every kind of caller and machine.
import { beforeAll, expect, test } from 'vitest'
import { parseKey } from '../../src/accounts/key.ts'
import { type Caller, withScopes } from '../../src/http/context.ts'
import { openDatabase } from '../../src/infra/database.ts'
import { Trace } from '../../src/kernel/trace.ts'
import { toEvents } from '../../src/live/audience.ts'
import { readAudience } from '../../src/live/sql/audience.ts'
import { makeKey, sessionCallerOf } from '../accounts/people.ts'
import type { Person, World } from '../harness.ts'
import { request } from '../jobs/qstash-calls.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createMachineIn, createSite, grant } from '../sites/places.ts'

let world: World
beforeAll(async () => {
  world = await useQuietWorld()
})

type Asker = { token: string; caller: Caller }
type Place = { id: number; siteId: number | null; ownerId: number; jobId: string; requesterId: number }

const ofSession = async (person: Person): Promise<Asker> => ({
  token: person.access,
  caller: await sessionCallerOf(world, person),
})

const ofKey = async (person: Person, limits: Record<string, number> = {}): Promise<Asker> => {
  const { secret } = await makeKey(world, person, { scopes: ['read'], ...limits })
  return { token: secret, caller: withScopes(await parseKey(secret), ['read']) }
}

async function ask({ token }: Asker, path: string) {
  const response = await fetch(world.url + path, { headers: { Authorization: `Bearer ${token}` } })
  return response.status
}

test('it is whoever may read the machine, and the job', async () => {
  const signUp = () => world.signUp()
  const [owner, manager, operator, former, requester, stranger, staff] = await Promise.all([
    signUp(),
    signUp(),
    signUp(),
    signUp(),
    signUp(),
    signUp(),
    world.signUpStaff(),
  ])
  const [here, there] = await Promise.all([createSite(owner), createSite(owner)])
  const machines = await Promise.all([
    world.createMachine(owner),
    createMachineIn(world, here, owner),
    createMachineIn(world, here, owner),
    createMachineIn(world, there, owner),
    world.createMachine(stranger),
  ])
  const [, second, third, fourth] = machines
  await grant(owner, `/api/sites/${here.id}`, manager, 'manager')
  await grant(owner, `/api/machines/${second?.id}`, operator, 'operator')
  await grant(owner, `/api/machines/${third?.id}`, former, 'viewer')
  // She has asked for a job, and has lost her role since.
  await grant(owner, `/api/machines/${fourth?.id}`, requester, 'operator')
  const asked = await request(world, requester, fourth?.id ?? 0, 'STOP')
  await owner.request('DELETE', `/api/machines/${fourth?.id}/members/${requester.id}`)
  await world.postgres.query("UPDATE members SET expires_at = now() - interval '1 s' WHERE account_id = $1", [
    former.id,
  ])

  const places: Place[] = []
  for (const machine of machines) {
    const { owner_id: ownerId, site_id: siteId } = machine.body
    const isAsked = machine === fourth
    const job = isAsked ? asked : await request(world, ownerId === owner.id ? owner : stranger, machine.id, 'STOP')
    places.push({ id: machine.id, siteId, ownerId, jobId: job.id, requesterId: isAsked ? requester.id : ownerId })
  }
  const people = [owner, manager, operator, former, requester, stranger, staff].map(ofSession)
  const limits = [
    {},
    { site_id: here.id },
    { site_id: there.id },
    { machine_id: second?.id ?? 0 },
    { machine_id: fourth?.id ?? 0 },
  ]
  const mayLimit = { owner, staff }
  const keys = [
    ...limits.flatMap((limit) => Object.values(mayLimit).map((person) => ofKey(person, limit))),
    ofKey(operator),
    ofKey(operator, { machine_id: second?.id ?? 0 }),
    ofKey(requester),
    ofKey(manager, { site_id: here.id }),
  ]
  const database = openDatabase(world.postgres.databaseUrl, world.postgres.fetchEndpoint)(new Trace())
  const seen = new Set<string>()
  for (const asker of await Promise.all([...people, ...keys])) {
    const audience = await readAudience(database, asker.caller)
    for (const { id, siteId, ownerId, jobId, requesterId } of places) {
      const job = { id: jobId, version: 1, requested_by: requesterId }
      const change = { machine_id: id, revision: 1, owner_id: ownerId, site_ids: [siteId], job }
      const events = toEvents(change, audience).map(({ event }) => event)
      const [machineStatus, jobStatus] = await Promise.all([
        ask(asker, `/api/machines/${id}`),
        ask(asker, `/api/jobs/${jobId}`),
      ])
      const wanted = [...(machineStatus === 200 ? ['machine'] : []), ...(jobStatus === 200 ? ['job'] : [])]
      expect(events, JSON.stringify({ audience, change })).toEqual(wanted)
      seen.add(wanted.join())
    }
  }
  expect(seen).toEqual(new Set(['', 'machine', 'job', 'machine,job']))
})

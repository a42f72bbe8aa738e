// The gateway of the demo machines, against the real Worker.
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { makeKey } from '../../accounts/people.ts'
import { type Person, poll, type World } from '../../harness.ts'
import { readMachine } from '../../jobs/reporting.ts'
import { useWorld } from '../../shared-world.ts'
import { createSite } from '../../sites/places.ts'
import { type ReporterBehaviour, startGateway } from './gateway.ts'

const behaviours: ReporterBehaviour[] = ['obeys', 'falls silent', 'local', 'runs by itself', 'lies']
let world: World
let owner: Person
const ids = {} as Record<ReporterBehaviour, number> // filled before the tests
const errors: string[] = []
beforeAll(async () => {
  world = await useWorld()
  owner = await world.signUp()
  const site = await createSite(owner)
  for (const behaviour of behaviours) {
    ids[behaviour] = (await world.createMachine(owner, { controller_url: null, site_id: site.id })).id
  }
  const { secret } = await makeKey(world, owner, { scopes: ['report'], site_id: site.id })
  const machines = behaviours.map((behaviour) => ({ id: ids[behaviour], behaviour }))
  const gateway = startGateway(world.url, { siteId: site.id, secret, machines }, (text) => errors.push(text))
  return () => gateway.close()
})

const until = (behaviour: ReporterBehaviour, isSo: (machine: Awaited<ReturnType<typeof readMachine>>) => boolean) =>
  poll(async () => {
    const machine = await readMachine(owner, ids[behaviour])
    return { isDone: isSo(machine), value: machine }
  }, `the machine that ${behaviour}`)

test('every machine reports, and none is refused', async () => {
  onTestFinished(() => expect(errors).toEqual([]))
  for (const behaviour of behaviours) await until(behaviour, ({ reported }) => reported !== null)
})

test('one obeys', async () => {
  const { body: start } = await world.operate(owner, ids.obeys, 'START')
  await world.waitForJob(owner, start.id, 'SUCCEEDED')
  await until('obeys', ({ status, status_source }) => status === 'RUNNING' && status_source === 'report')
})

test('one takes no START from afar', async () => {
  expect((await world.operate(owner, ids.local, 'START')).body.code).toBe('remote_disabled')
})

test('one says that it has started, and its reports say no', async () => {
  const { body: start } = await world.operate(owner, ids.lies, 'START')
  expect(await world.waitForJob(owner, start.id, 'SUCCEEDED')).toMatchObject({ confirmed_at: null })
  await until('lies', ({ status, status_source }) => status === 'READY' && status_source === 'report')
})

test('one runs by itself, and one falls silent', async () => {
  await until('runs by itself', ({ status }) => status === 'RUNNING')
  await until('falls silent', ({ reported }) => reported?.is_fresh === false)
})

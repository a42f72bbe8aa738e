// Demo data: two accounts, six machines with an address and five that report, of a moulding factory. It is written once, by SQL, because no endpoint creates
// staff. Each start updates the machines' addresses, because the controller has a new port.
import { foldName } from '../../src/accounts/account.ts'
import { makeSecret } from '../../src/accounts/key.ts'
import { hashPassword } from '../../src/accounts/password.ts'
import type { Statement } from '../../src/infra/sql-client.ts'
import { runStatements } from '../../src/tools/statements.ts'
import type { BehaviourOrder } from './controller/behaviour.ts'
import type { GatewayPlace, ReporterBehaviour } from './controller/gateway.ts'
import type { ControllerStandIn } from './controller.ts'
import { insertDemoStatuses } from './demo-statuses.ts'
import type { PostgresService } from './named-services.ts'

export type DemoAccount = { username: string; password: string; isStaff: boolean; firstName: string; lastName: string }

/** The passwords are public: never for a database that others can reach. */
export const demoAccounts = [
  { username: 'demo', password: 'moulding-by-day', isStaff: false, firstName: '하늘', lastName: '김' },
  { username: 'demo-staff', password: 'moulding-by-night', isStaff: true, firstName: '바다', lastName: '이' },
] as const satisfies DemoAccount[]

type DemoMachine = { key: string; name: string; location: string; behaviour: BehaviourOrder }

export const demoMachines: DemoMachine[] = [
  { key: 'demo-1', name: '사출기 1호 LS Mtron WIZ 170E', location: '1공장 A열 1번', behaviour: { mode: 'obey' } },
  {
    key: 'demo-2',
    name: '사출기 2호 LS Mtron LGE 280',
    location: '1공장 A열 2번',
    behaviour: { mode: 'warm-up', after_ms: 8_000, only: 'START', detail: '배럴 220 °C 도달' },
  },
  {
    key: 'demo-3',
    name: '사출기 3호 우진플라임 TE 220',
    location: '1공장 A열 3번',
    behaviour: { mode: 'refuse', only: 'START', detail: '안전문이 열려 있음' },
  },
  { key: 'demo-4', name: '사출기 4호 우진플라임 DL 450', location: '1공장 B열 1번', behaviour: { mode: 'away' } },
  {
    key: 'demo-5',
    name: '사출기 5호 동신유압 PRO 350',
    location: '2공장 C열 1번',
    behaviour: { mode: 'fail', status: 503, body: { error: 'busy' }, times: 2 },
  },
  {
    key: 'demo-6',
    name: '사출기 6호 Engel victory 200',
    location: '2공장 C열 2번',
    behaviour: { mode: 'slow', after_ms: 4_000 },
  },
]

/** Machines behind NAT, in a site of their own: a gateway reports for them, and fetches their commands. */
export const reportingMachines: { name: string; behaviour: ReporterBehaviour }[] = [
  { name: '사출기 7호 LS Mtron WIZ 220E', behaviour: 'obeys' },
  { name: '사출기 8호 우진플라임 TE 150', behaviour: 'falls silent' },
  { name: '사출기 9호 동신유압 PRO 180', behaviour: 'local' },
  { name: '사출기 10호 Engel e-mac 180', behaviour: 'runs by itself' },
  { name: '사출기 11호 LS Mtron LGE 110', behaviour: 'lies' },
]
const siteName = '3공장'
const gatewayKeyName = '3공장 게이트웨이'

/** Sets the behaviour of the demo machines. The controller does not keep it after its end. */
export function setDemoBehaviours(controller: ControllerStandIn): void {
  for (const { key, behaviour } of demoMachines) controller.machine(key).behave(behaviour)
}

/**
 * Writes the demo data in one transaction if the demo account is missing.
 * @returns whether it was missing
 * @throws DatabaseError
 */
export async function seedDemo(service: PostgresService, controllerUrl: string): Promise<boolean> {
  const [owner] = demoAccounts
  const [found] = await runStatements(service, [
    { query: 'SELECT id FROM accounts WHERE username_key = $1', params: [foldName(owner.username)] },
  ])
  if (found?.length) return false
  const accounts: Statement[] = []
  for (const account of demoAccounts) accounts.push(insertAccount(account, await hashPassword(account.password)))
  const machines = demoMachines.map(({ key, name, location }) => ({
    name,
    location,
    controller_url: `${controllerUrl}/machines/${key}`,
  }))
  await runStatements(service, [
    ...accounts,
    {
      query: `INSERT INTO machines (name, location, controller_url, owner_id)
        SELECT machine.name, machine.location, machine.controller_url, owner.id
        FROM accounts AS owner, ROWS FROM (
          jsonb_to_recordset($2::jsonb) AS (name text, location text, controller_url text)
        ) WITH ORDINALITY AS machine (name, location, controller_url, place)
        WHERE owner.username_key = $1 ORDER BY machine.place`,
      params: [foldName(owner.username), JSON.stringify(machines)],
    },
    {
      query: `WITH owner AS (SELECT id FROM accounts WHERE username_key = $1),
        site AS (INSERT INTO sites (name, created_by) SELECT $2, id FROM owner RETURNING id),
        manager AS (INSERT INTO members (account_id, site_id, role) SELECT owner.id, site.id, 'manager' FROM owner, site)
        INSERT INTO machines (name, location, owner_id, site_id)
        SELECT machine.name, $2, owner.id, site.id
        FROM owner, site, unnest($3::text[]) WITH ORDINALITY AS machine (name, place) ORDER BY place`,
      params: [foldName(owner.username), siteName, reportingMachines.map(({ name }) => name)],
    },
    insertDemoStatuses(owner.username),
  ])
  return true
}

/**
 * Makes a key for the gateway of the reporting machines, in place of that of an earlier run.
 * @returns undefined if these machines were deleted
 */
export async function prepareGateway(service: PostgresService): Promise<GatewayPlace | undefined> {
  const [owner] = demoAccounts
  const { id, secret, secretHash } = makeSecret()
  const params = [foldName(owner.username), reportingMachines.map(({ name }) => name)]
  const [machines = []] = await runStatements(service, [
    {
      query: `SELECT m.id, m.name, m.site_id, m.owner_id FROM machines m JOIN accounts a ON a.id = m.owner_id
        WHERE a.username_key = $1 AND m.name = ANY ($2::text[]) AND m.site_id IS NOT NULL AND m.deleted_at IS NULL
        ORDER BY m.id`,
      params,
    },
  ])
  const [first] = machines
  if (!first) return undefined
  await runStatements(service, [
    { query: 'UPDATE keys SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL', params: [gatewayKeyName] },
    {
      query: `INSERT INTO keys (id, account_id, name, scopes, site_id, secret_hash) VALUES ($1, $2, $3, '{report}', $4, $5)`,
      params: [id, first.owner_id, gatewayKeyName, first.site_id, secretHash],
    },
  ])
  const found = machines.flatMap(({ id: machineId, name }) => {
    const behaviour = reportingMachines.find((each) => each.name === name)?.behaviour
    return behaviour ? [{ id: Number(machineId), behaviour }] : []
  })
  return { siteId: Number(first.site_id), secret, machines: found }
}

function insertAccount(account: DemoAccount, passwordHash: string): Statement {
  const { username, firstName, lastName, isStaff } = account
  const email = `${username}@tiebar.example`
  return {
    query: `INSERT INTO accounts
      (username, username_key, email, email_key, first_name, last_name, password_hash, is_staff)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    params: [username, foldName(username), email, foldName(email), firstName, lastName, passwordHash, isStaff],
  }
}

/**
 * Replaces the address of an earlier run's controller, which had another port. With `demo` only for the machines of the demo
 * account: other runs may use the same database.
 * @returns the number of changed machines
 */
export async function updateControllerUrls(service: PostgresService, controllerUrl: string, scope: 'all' | 'demo') {
  const [changed] = await runStatements(service, [
    {
      query: `UPDATE machines
        SET controller_url = $1::text || substring(controller_url FROM '/machines/[^/]+$'),
          confirmed_address = $1::text || substring(confirmed_address FROM '/machines/[^/]+$'),
          revision = revision + 1, updated_at = now()
        WHERE controller_url ~ '^http://127[.]0[.]0[.]1:[0-9]+/machines/[^/]+$'
          AND NOT starts_with(controller_url, $1::text || '/') AND deleted_at IS NULL
          AND ($2::boolean OR owner_id = (SELECT id FROM accounts WHERE username_key = $3))
        RETURNING id`,
      params: [controllerUrl, scope === 'all', foldName(demoAccounts[0].username)],
    },
  ])
  return changed?.length ?? 0
}

/**
 * Tells each machine of the controller its id, as an engineer configures a real controller. The controller does not keep it
 * after its end.
 */
export async function pinMachines(service: PostgresService, controller: ControllerStandIn): Promise<void> {
  const [machines = []] = await runStatements(service, [
    {
      query: `SELECT id, controller_url FROM machines WHERE starts_with(controller_url, $1) AND deleted_at IS NULL
        ORDER BY controller_confirmed_at DESC NULLS FIRST, id DESC`,
      params: [`${controller.url}/machines/`],
    },
  ])
  for (const { id, controller_url } of machines) {
    const name = String(controller_url).slice(`${controller.url}/machines/`.length)
    controller.machine(decodeURIComponent(name)).pin(Number(id))
  }
}

// The measured requests of the API, and for each the plan of the bare worker.

import { callerCacheKey } from '../../src/accounts/caller-cache.ts'
import { rotateRefresh } from '../../src/accounts/sql/sign-in.ts'
import { toRequest } from '../../src/infra/queue.ts'
import { writeChanges } from '../../src/infra/redis.ts'
import { toMessage } from '../../src/jobs/dispatch.ts'
import { createJob } from '../../src/jobs/sql/create.ts'
import { selectOpenJobs } from '../../src/jobs/sql/fragments.ts'
import { historySorts, listMachineHistory } from '../../src/jobs/sql/read.ts'
import { jobCacheKey } from '../../src/jobs/status-cache.ts'
import { listBoard } from '../../src/live/sql/board.ts'
import { createChangeMachine } from '../../src/machines/sql/change.ts'
import { insertMachine } from '../../src/machines/sql/create.ts'
import { listMachines, machineSorts, readMachine } from '../../src/machines/sql/read.ts'
import { createFloor, operationFloor, patchFloor, refreshFloor } from './floors.ts'
import type { Shot } from './load.ts'
import { idInPlan, newIdInPlan, type Plan, planOf } from './plan.ts'
import { type BenchPlatform, benchQuota } from './platform.ts'
import { planReports } from './reports.ts'
import { deleteMachinesOf, registrarCaller, type Scene } from './scene.ts'

export const routeNames = [
  'read_machine',
  'list_machines',
  'board',
  'history',
  'job_status',
  'create',
  'patch',
  'operation',
  'refresh',
  'report',
  'pull',
] as const
export type RouteName = (typeof routeNames)[number]

export type Route = {
  name: RouteName
  ours: Shot[]
  bare: Shot[]
  status: number
  plan: Plan
  /** The least that a write has to do (floors.ts). */
  floor?: Plan
  /** Each shot can be used once until `reset`. */
  isOnce?: boolean
  reset?(platform: BenchPlatform): Promise<unknown>
}

const pageSize = 20
const machine = { name: 'Machine', location: 'Hall 1', status: 'READY', site_id: null, controller_url: null } as const

/** The number of machines in rotation, so that no request waits for the row lock of another. */
const machinesInTurn = 1_000

export async function planRoutes(scene: Scene): Promise<Route[]> {
  const { caller, registrars, issuer, accessTokens, jobId } = scene
  const ids = scene.machineIds.slice(0, machinesInTurn)
  const busiest = scene.machineIds.at(-1)
  const tokenAt = (index: number) => accessTokens[index % accessTokens.length] ?? ''
  const get = (path: string, index: number): Shot => ({ method: 'GET', path, token: tokenAt(index) })
  const send = (method: string, path: string, content: object, index: number): Shot => ({
    ...get(path, index),
    method,
    body: JSON.stringify(content),
  })
  const byAll = (shot: (index: number) => Shot) => accessTokens.map((_, index) => shot(index))
  const creation = { name: 'Machine', location: 'Hall 1' }
  const register = (pathOf: (id: string) => string) =>
    registrars.map(({ id, accessToken }) => ({ ...send('POST', pathOf(id), creation, 0), token: accessToken }))
  const registrar = registrarCaller(String(idInPlan))
  const renaming = { name: 'Machine, renamed' }
  const start = { command: 'START' }
  const operation = await planOperation(caller, issuer)
  return [
    {
      name: 'read_machine',
      status: 200,
      ours: ids.map((id, index) => get(`/api/machines/${id}`, index)),
      bare: ids.map((id, index) => get(`/read_machine/${id}`, index)),
      plan: await planOf((database) => readMachine(database, caller, idInPlan)),
    },
    {
      name: 'list_machines',
      status: 200,
      ours: byAll((index) => get(`/api/machines?limit=${pageSize}`, index)),
      bare: byAll((index) => get('/list_machines', index)),
      plan: await planOf((database) => listMachines(database, caller, {}, machineSorts.page('id', pageSize))),
    },
    {
      name: 'board',
      status: 200,
      ours: byAll((index) => get(`/api/board?limit=${pageSize}`, index)),
      bare: byAll((index) => get('/board', index)),
      plan: await planOf((database) => listBoard(database, caller, {}, machineSorts.page('id', pageSize))),
    },
    {
      name: 'history',
      status: 200,
      ours: byAll((index) => get(`/api/machines/${busiest}/history?limit=${pageSize}`, index)),
      bare: byAll((index) => get(`/history/${busiest}`, index)),
      plan: await planOf((database) =>
        listMachineHistory(database, caller, idInPlan, {}, historySorts.page('-requested_at', pageSize)),
      ),
    },
    {
      name: 'job_status',
      status: 200,
      ours: byAll((index) => get(`/api/jobs/${jobId}`, index)),
      bare: byAll((index) => get('/job_status', index)),
      plan: { statements: [], isTransaction: false, keys: [jobCacheKey(jobId), callerCacheKey(caller)] },
    },
    {
      name: 'create',
      status: 201,
      ours: register(() => '/api/machines'),
      bare: register((id) => `/create/${id}`),
      plan: {
        ...(await planOf((database) => insertMachine(database, registrar, machine, undefined, benchQuota))),
        feedScript: writeChanges,
      },
      floor: { ...createFloor(registrar, creation), feedScript: writeChanges },
      // The quota counts the machines of the account: it has no more than a plant.
      reset: (platform) => deleteMachinesOf(platform, registrars),
    },
    {
      name: 'patch',
      status: 200,
      ours: scene.machineIds.map((id, index) => send('PATCH', `/api/machines/${id}`, renaming, index)),
      bare: scene.machineIds.map((id, index) => send('POST', `/patch/${id}`, renaming, index)),
      plan: {
        ...(await planOf((database) =>
          createChangeMachine(selectOpenJobs)(database, caller, idInPlan, renaming, undefined),
        )),
        feedScript: writeChanges,
      },
      floor: { ...patchFloor(caller, renaming), feedScript: writeChanges },
      isOnce: true, // a second request would change nothing
      async reset({ postgres }) {
        await postgres.query(`UPDATE machines SET name = 'Machine ' || id WHERE name = $1`, [renaming.name])
        await postgres.query('VACUUM machines')
      },
    },
    {
      name: 'operation',
      status: 202,
      ours: scene.machineIds.map((id, index) => send('POST', `/api/machines/${id}/operation`, start, index)),
      bare: scene.machineIds.map((id, index) => send('POST', `/operation/${id}`, start, index)),
      plan: operation,
      floor: { ...operation, ...operationFloor(caller) },
      isOnce: true,
      reset: async ({ postgres }) => {
        await postgres.query('DELETE FROM job_events')
        await postgres.query(`DELETE FROM jobs WHERE state = 'QUEUED'`)
      },
    },
    {
      name: 'refresh',
      status: 200,
      ours: scene.sessions.map(({ refresh }) => ({
        method: 'POST',
        path: '/api/token/refresh',
        body: JSON.stringify({ refresh }),
      })),
      bare: scene.sessions.map(({ id, refresh }) => ({
        method: 'POST',
        path: `/refresh/${id}`,
        token: refresh,
        body: JSON.stringify({ refresh }),
      })),
      plan: {
        ...(await planOf((database) =>
          rotateRefresh(
            database,
            { accountId: caller.accountId, sessionId: String(idInPlan) },
            String(idInPlan),
            newIdInPlan,
          ),
        )),
        signsPair: true,
      },
      floor: { ...refreshFloor(caller), signsPair: true },
      isOnce: true,
      reset: ({ postgres }) => postgres.query('UPDATE sessions SET refresh_id = id WHERE refresh_id <> id'),
    },
    ...(await planReports(scene)),
  ]
}

async function planOperation(caller: Scene['caller'], origin: string): Promise<Plan> {
  const request = { jobId: newIdInPlan, machineId: idInPlan, command: 'START', expiresInSeconds: 60 } as const
  const creation = await planOf((database) => createJob(database, caller, request, undefined))
  const job = { id: newIdInPlan, command: request.command, attempts: 0 }
  const message = toRequest(toMessage(origin, { job, publishNo: 1, delaySeconds: 0 }))
  return { ...creation, announced: { message, script: writeChanges } }
}

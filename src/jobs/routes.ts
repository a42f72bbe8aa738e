// Endpoints to send a command to a machine, read the status of a job, and cancel a job.

import { createRoute, z } from '@hono/zod-openapi'
import { v7 as uuidv7 } from 'uuid'
import { cacheCaller, callerCacheKey, type KnownCaller, readCachedCaller } from '../accounts/caller-cache.ts'
import { selectCaller } from '../accounts/sql/caller.ts'
import type { TokenIssuer } from '../accounts/token.ts'
import { type AppContext, withScopes } from '../http/context.ts'
import { withIdempotencyKey } from '../http/idempotency/idempotency.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { countByBody, type RequestBucket } from '../http/middleware/rate-limit.ts'
import { bearerOrKey, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { TiebarError } from '../kernel/error.ts'
import { toFeedContext } from '../machines/feed.ts'
import { commandRules, commandScopes } from './commands.ts'
import { type JobContext, toJobContext } from './context.ts'
import { publishJobs } from './dispatch.ts'
import { wakeMachine } from './pull.ts'
import { republishJob } from './redispatch.ts'
import { explainRefusal, refusalTexts } from './refusals.ts'
import { cancelBody, type Job, jobPath, jobSchema, machinePath, operationBody, toJob } from './schema.ts'
import { cancelJob } from './sql/cancel.ts'
import { type CreateJobResult, createJob } from './sql/create.ts'
import { type JobRow, jobColumns } from './sql/fragments.ts'
import { noSuchJob, readJob } from './sql/read.ts'
import { cacheJob, jobCacheKey, parseCachedJob } from './status-cache.ts'
import { recordTransitions } from './transition.ts'

const tags = ['Jobs']
const pollSeconds = 1

const operate = createRoute({
  method: 'post',
  path: '/api/machines/{id}/operation',
  operationId: 'operateMachine',
  tags,
  summary: 'START or STOP a machine',
  description: 'Answers at once with a job. Poll the job: only its state says what the machine did.',
  security: bearerOrKey(...commandScopes),
  // The body decides which scope a key needs. It is read before the request is counted: STOPs are counted separately, so
  // that nothing else can use up their limit.
  middleware: [authenticate({ scopes: commandScopes, isCounted: false }), jsonBody(), countByBody(bucketOf)] as const,
  request: { params: machinePath, body: body(operationBody) },
  responses: {
    202: {
      ...json(jobSchema, 'The job'),
      headers: z.object({ Location: z.string(), 'Retry-After': z.string() }),
    },
    ...problems(
      'not_found',
      'not_owner',
      'role_too_low',
      'wrong_state',
      'job_open',
      'no_controller',
      'held',
      'stale',
      'remote_disabled',
      'idempotency_key_reused',
    ),
  },
})

const readStatus = createRoute({
  method: 'get',
  path: '/api/jobs/{id}',
  operationId: 'readJob',
  tags,
  summary: 'The status of a job, at most 5 s old',
  security: bearerOrKey('read'),
  middleware: [authenticate({ scopes: ['read'] })] as const,
  request: { params: jobPath },
  responses: { 200: json(jobSchema, 'The job'), ...problems('not_found') },
})

const cancel = createRoute({
  method: 'post',
  path: '/api/jobs/{id}/cancel',
  operationId: 'cancelJob',
  tags,
  summary: 'Cancel a job that has not been sent',
  security: bearerOrKey(...commandScopes),
  middleware: [authenticate({ scopes: commandScopes }), jsonBody({ isOptional: true })] as const,
  request: {
    params: jobPath,
    body: {
      required: false,
      content: { 'application/json': { schema: cancelBody } },
    },
  },
  responses: {
    200: json(jobSchema, 'The job'),
    ...problems('not_found', 'not_owner', 'role_too_low', 'not_cancelable'),
  },
})

export function jobRoutes({ tokens }: { tokens: TokenIssuer }): Router {
  const router = createRouter()

  router.openapi(operate, async (c) => {
    const { command, expires_in } = c.req.valid('json')
    const request = {
      jobId: uuidv7(),
      machineId: c.req.valid('param').id,
      command,
      expiresInSeconds: expires_in ?? commandRules[command].expiresInSeconds,
    }
    const caller = withScopes(c.var.caller, [commandRules[command].scope])
    c.set('caller', caller) // so that a refusal names this scope only
    const result = await withIdempotencyKey(c, selectCaller(caller), async (key) => {
      const created = await createJob(c.var.upstreams.database, caller, request, key)
      // Here, because a replay changes nothing.
      if (created.job?.state === 'REJECTED') c.executionCtx.waitUntil(recordRejection(c, created.job, created.site_id))
      return created
    })
    if (!result.job || result.job.state === 'REJECTED') throw explainRefusal(command, result)
    // A row that was stored with an idempotency key is JSON, so its columns are converted.
    const job = jobColumns.fromJson(result.job)
    const context = toJobContext(c, tokens)
    if (job.id === request.jobId) await dispatchNewJob(context, job, result)
    // The job of an earlier request. The Worker may have stopped before it published it.
    else context.waitUntil(republishJob(context, caller, job))
    c.header('Location', `/api/jobs/${job.id}`)
    c.header('Retry-After', String(pollSeconds))
    return c.json(toJob(job), 202)
  })

  router.openapi(readStatus, async (c) => {
    const { database, cache } = c.var.upstreams
    const { caller } = c.var
    const { id } = c.req.valid('param')
    const [jobEntry, callerEntry] = (await cache.read([jobCacheKey(id), callerCacheKey(caller)])) ?? []
    const cached = jobEntry ? parseCachedJob(jobEntry) : undefined
    const known = readCachedCaller(caller, callerEntry)
    if (cached && known && isVisibleTo(known, cached)) return c.json(cached, 200)
    const job = await readJob(database, caller, id)
    const { caller_id: accountId, key_machine_id: machineId, key_site_id } = job
    // The site of a job's machine is not in Redis.
    const callers = key_site_id === null ? [cacheCaller(caller, { accountId, machineId })] : []
    c.executionCtx.waitUntil(cache.write([cacheJob(job), ...callers]))
    return c.json(toJob(job), 200)
  })

  router.openapi(cancel, async (c) => {
    const { database } = c.var.upstreams
    const { reason } = c.req.valid('json')
    const { decision, job, callerId } = await cancelJob(database, c.var.caller, c.req.valid('param').id, reason ?? null)
    if (decision === 'not_found') throw noSuchJob()
    if (decision === 'not_owner' || decision === 'role_too_low') throw new TiebarError(decision, refusalTexts[decision])
    if (decision === 'not_cancelable') {
      throw new TiebarError('not_cancelable', explainNotCancelable(job), {
        jobId: job.id,
      })
    }
    await recordTransitions(toFeedContext(c), [job], callerId)
    return c.json(toJob(job), 200)
  })

  return router
}

/** Whether a job in Redis may be shown. Staff see more, but only PostgreSQL knows who is staff. */
function isVisibleTo({ accountId, machineId }: KnownCaller, job: Job): boolean {
  const isOwn = job.requested_by === accountId || job.machine_owner_id === accountId
  return isOwn && (machineId === null || machineId === job.machine_id)
}

/** Those who follow the history of the machine hear of a command that was refused. */
function recordRejection(c: AppContext, job: JobRow, site_id: number | null): Promise<void> {
  return recordTransitions(toFeedContext(c), [{ ...job, site_id, revision: null }], job.requested_by)
}

/** Publishes a new job and writes it into the status cache, in parallel. If either fails, the job stays accepted. */
async function dispatchNewJob(
  context: JobContext,
  job: JobRow,
  { superseded, is_fetched, site_id }: CreateJobResult,
): Promise<void> {
  const { trace, upstreams, waitUntil } = context
  // A machine that fetches its commands needs no message but the one that ends the job when the command has expired.
  const delaySeconds = is_fetched ? (Date.parse(job.not_after) - Date.parse(job.requested_at)) / 1_000 : 0
  await Promise.all([
    publishJobs(context, [{ job, publishNo: 1, delaySeconds, isFetched: is_fetched }]),
    recordTransitions(
      { trace, cache: upstreams.cache, waitUntil },
      [job, ...superseded].map((each) => ({ ...each, site_id, revision: null })),
      job.requested_by,
      { writes: is_fetched ? [wakeMachine(job.machine_id)] : [] },
    ),
  ])
}

/** A body without a valid command is counted like every other request. */
function bucketOf(body: unknown): RequestBucket {
  const isStop = typeof body === 'object' && body !== null && 'command' in body && body.command === 'STOP'
  return isStop ? 'stops' : 'requests'
}

function explainNotCancelable(job: JobRow): string {
  if (job.state === 'QUEUED')
    return 'This STOP superseded a START that may have been executed, so it cannot be cancelled.'
  return `Only a QUEUED job can be cancelled; this one is ${job.state}.`
}

// Endpoints to send a command to a machine, read the status of a job, and cancel a job.

import { createRoute, z } from '@hono/zod-openapi'
import { v7 as uuidv7 } from 'uuid'
import { cacheSession, isSessionCached, sessionCacheKey } from '../accounts/session.ts'
import { selectCaller } from '../accounts/sql/caller.ts'
import type { AppContext } from '../http/context.ts'
import { withIdempotencyKey } from '../http/idempotency/idempotency.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { TiebarError } from '../kernel/error.ts'
import { type Command, commandRules } from './commands.ts'
import { publishJobs, toJobContext } from './dispatch.ts'
import { cancelBody, jobPath, jobSchema, machinePath, operationBody, toJob } from './schema.ts'
import { cancelJob } from './sql/cancel.ts'
import { type CreateJobDecision, type CreateJobResult, createJob } from './sql/create.ts'
import { type JobRow, jobColumns } from './sql/fragments.ts'
import { noSuchJob, readJob } from './sql/read.ts'
import { cacheJob, jobCacheKey, parseCachedJob } from './status-cache.ts'
import { recordTransitions } from './transition.ts'

const tags = ['Jobs']
const middleware = authenticate()
const pollSeconds = 1

const operate = createRoute({
  method: 'post',
  path: '/api/machines/{id}/operation',
  operationId: 'operateMachine',
  tags,
  summary: 'START or STOP a machine',
  description: 'Answers at once with a job. Poll the job: only its state tells what the machine did.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { params: machinePath, body: body(operationBody) },
  responses: {
    202: {
      ...json(jobSchema, 'The job'),
      headers: z.object({ Location: z.string(), 'Retry-After': z.string() }),
    },
    ...problems('not_found', 'not_owner', 'wrong_state', 'job_open', 'no_controller', 'idempotency_key_reused'),
  },
})

const readStatus = createRoute({
  method: 'get',
  path: '/api/jobs/{id}',
  operationId: 'readJob',
  tags,
  summary: 'The status of a job, at most 5 s old',
  security: bearerSecurity,
  middleware,
  request: { params: jobPath },
  responses: { 200: json(jobSchema, 'The job'), ...problems('not_found') },
})

const cancel = createRoute({
  method: 'post',
  path: '/api/jobs/{id}/cancel',
  operationId: 'cancelJob',
  tags,
  summary: 'Cancel a job that has not been sent',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody({ isOptional: true })] as const,
  request: {
    params: jobPath,
    body: {
      required: false,
      content: { 'application/json': { schema: cancelBody } },
    },
  },
  responses: {
    200: json(jobSchema, 'The job'),
    ...problems('not_found', 'not_cancelable'),
  },
})

export function jobRoutes(): Router {
  const router = createRouter()

  router.openapi(operate, async (c) => {
    const { command, expires_in } = c.req.valid('json')
    const request = {
      jobId: uuidv7(),
      machineId: c.req.valid('param').id,
      command,
      expiresInSeconds: expires_in ?? commandRules[command].expiresInSeconds,
    }
    const result = await withIdempotencyKey(c, selectCaller(c.var.caller), (key) =>
      createJob(c.var.upstreams.database, c.var.caller, request, key),
    )
    if (!result.job) throw explainRefusal(command, result)
    // A row that was stored with an idempotency key is JSON, so its columns are converted.
    const job = jobColumns.fromJson(result.job)
    // A replayed answer has the job of the first request, which has been published already.
    if (job.id === request.jobId) await dispatchNewJob(c, job, result.superseded)
    c.header('Location', `/api/jobs/${job.id}`)
    c.header('Retry-After', String(pollSeconds))
    return c.json(toJob(job), 202)
  })

  router.openapi(readStatus, async (c) => {
    const { database, cache } = c.var.upstreams
    const { accountId, sessionId } = c.var.caller
    const { id } = c.req.valid('param')
    const [jobEntry, sessionEntry] = (await cache.read([jobCacheKey(id), sessionCacheKey(sessionId)])) ?? []
    if (jobEntry && isSessionCached(sessionEntry)) {
      const cached = parseCachedJob(jobEntry)
      const isVisible = cached?.requested_by === accountId || cached?.machine_owner_id === accountId
      if (cached && isVisible) return c.json(cached, 200)
    }
    const job = await readJob(database, c.var.caller, id)
    c.executionCtx.waitUntil(cache.write([cacheJob(job), cacheSession(sessionId)]))
    return c.json(toJob(job), 200)
  })

  router.openapi(cancel, async (c) => {
    const { database, cache } = c.var.upstreams
    const { reason } = c.req.valid('json')
    const { decision, job } = await cancelJob(database, c.var.caller, c.req.valid('param').id, reason ?? null)
    if (decision === 'not_found') throw noSuchJob()
    if (decision === 'not_cancelable') {
      throw new TiebarError('not_cancelable', explainNotCancelable(job), {
        jobId: job.id,
      })
    }
    await recordTransitions({ trace: c.var.trace, cache }, [job], c.var.caller.accountId)
    return c.json(toJob(job), 200)
  })

  return router
}

/** Publishes a new job and writes it into the status cache, in parallel. If either fails, the job stays accepted. */
async function dispatchNewJob(c: AppContext, job: JobRow, superseded: JobRow[]): Promise<void> {
  const context = toJobContext(c)
  const { trace, upstreams } = context
  await Promise.all([
    publishJobs(context, [{ job, publishNo: 1 }], false),
    recordTransitions({ trace, cache: upstreams.cache }, [job, ...superseded], c.var.caller.accountId),
  ])
}

const refusalTexts: Record<Exclude<CreateJobDecision, 'accepted'>, string> = {
  not_found: 'There is no machine with this id.',
  not_owner: 'Only the owner of the machine and staff may operate it.',
  wrong_state: 'The status of the machine does not allow the command.',
  job_open: 'A job is open on this machine. Wait until it ends. A STOP supersedes an open START.',
  no_controller: 'The machine has no controller_url to send the command to.',
}

function explainRefusal(command: Command, { decision, status, open_job_id }: CreateJobResult): TiebarError {
  if (decision === 'accepted') throw new TypeError('the job was accepted, so there is no refusal to explain')
  const { acceptedIn } = commandRules[command]
  const needs = ` A ${command} needs one of ${acceptedIn.join(', ')}; the machine is ${status}.`
  const detail = refusalTexts[decision] + (decision === 'wrong_state' ? needs : '')
  return new TiebarError(
    decision,
    detail,
    decision === 'job_open' && open_job_id !== null ? { jobId: open_job_id } : {},
  )
}

function explainNotCancelable(job: JobRow): string {
  if (job.state === 'QUEUED')
    return 'This STOP superseded a START that may have been executed, so it cannot be cancelled.'
  return `Only a QUEUED job can be cancelled; this one is ${job.state}.`
}

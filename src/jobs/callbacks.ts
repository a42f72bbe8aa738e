// Endpoints for QStash and for controllers: the signed callbacks of the queue, and the outcome of a command.

import { createRoute, z } from '@hono/zod-openapi'
import { createMiddleware } from 'hono/factory'
import type { TokenIssuer } from '../accounts/token.ts'
import type { AppContext, AppEnv } from '../http/context.ts'
import { readBearer } from '../http/middleware/authenticate.ts'
import { readAtMost, refuseCompressed } from '../http/middleware/json-body.ts'
import { createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { TiebarError } from '../kernel/error.ts'
import { toFeedContext } from '../machines/feed.ts'
import { outcomeReport, outcomeSchema, queueFailure, queueMessage } from './callback-schema.ts'
import { toJobContext } from './context.ts'
import { type ControllerReport, readControllerReport } from './controller-report.ts'
import { deliver, type QueueAnswer } from './deliver.ts'
import { deliverPath, failedPath } from './dispatch.ts'
import { handleFailureCallback } from './redispatch.ts'
import { jobPath } from './schema.ts'
import { verifySignature } from './signature.ts'
import { noSuchJob } from './sql/read.ts'
import { settle } from './sql/settle.ts'
import { recordTransitions } from './transition.ts'
import { outcomes } from './value-texts.ts'
import { describeWebhook } from './webhook.ts'

const tags = ['Callbacks']
const maxReportBytes = 64 * 1024
/** The failure envelope of QStash contains the message twice, and our own answer. */
const maxEnvelopeBytes = 256 * 1024

const queueResponses = {
  200: json(z.object({ done: z.literal(true) }), 'There is nothing more to do'),
  489: {
    description: 'The message is invalid. QStash does not retry it',
    headers: z.object({ 'Upstash-NonRetryable-Error': z.string() }),
  },
  503: json(z.object({ done: z.literal(false) }), 'Try again, after `Retry-After` seconds if given'),
  ...problems('bad_signature'),
}

const queueSecurity = [{ queue: [] }]

/**
 * Only for the OpenAPI document: the route does not validate the body. A body from the queue is read after its signature is
 * verified, and a report of a controller is read leniently.
 */
const describedBody = (name: 'QueueMessage' | 'QueueFailure' | 'OutcomeReport') => ({
  body: { required: true, content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } },
})

const deliverJob = createRoute({
  method: 'post',
  path: deliverPath,
  operationId: 'deliverJob',
  tags,
  summary: 'QStash delivers a job',
  security: queueSecurity,
  request: describedBody('QueueMessage'),
  responses: queueResponses,
})

const failedJob = createRoute({
  method: 'post',
  path: failedPath,
  operationId: 'handleFailedJob',
  tags,
  summary: 'QStash has given up a message',
  security: queueSecurity,
  request: describedBody('QueueFailure'),
  responses: queueResponses,
})

const outcomeDescription = `
Only \`result\` is required. It is read even if the rest of the body is invalid. Text that is not UTF-8 is read by the
\`charset\` of the Content-Type, or with replacement characters. A \`detail\` of another type than text is shown as JSON; NUL is
removed, and a longer text is cut. Unknown members are ignored.
`.trim()

const reportOutcome = (tokens: TokenIssuer) =>
  createRoute({
    method: 'post',
    path: '/api/callbacks/jobs/{id}/outcome',
    operationId: 'reportOutcome',
    tags,
    summary: 'A controller that answered PENDING reports the outcome',
    description: outcomeDescription,
    security: [{ outcome: [] }],
    middleware: [outcomeToken(tokens)] as const,
    request: { params: jobPath, ...describedBody('OutcomeReport') },
    responses: {
      200: json(outcomeSchema, 'The report was accepted'),
      ...problems('token_missing', 'token_invalid', 'not_found', 'outcome_contradicts'),
    },
  })

/** Accepts a report only with the token that the controller received with the command of this job. */
function outcomeToken(tokens: TokenIssuer) {
  return createMiddleware<AppEnv>(async function outcomeToken(c, next) {
    const { sub } = await tokens.verifyFor(readBearer(c.req.header('Authorization')), 'outcome')
    if (sub !== c.req.param('id')?.toLowerCase()) {
      throw new TiebarError('token_invalid', 'The outcome token is for another job.')
    }
    await next()
  })
}

export function callbackRoutes({ tokens }: { tokens: TokenIssuer }): Router {
  const router = createRouter()
  router.openAPIRegistry.register('QueueMessage', queueMessage)
  router.openAPIRegistry.register('QueueFailure', queueFailure)
  router.openAPIRegistry.register('OutcomeReport', outcomeReport)
  describeWebhook(router)

  router.openapi(deliverJob, async (c) => {
    const message = queueMessage.safeParse(await readSigned(c, deliverPath))
    if (!message.success) return answerInvalid(c)
    return answerQueue(c, await deliver(toJobContext(c, tokens), message.data.job_id, 'queue'))
  })

  router.openapi(failedJob, async (c) => {
    const envelope = queueFailure.safeParse(await readSigned(c, failedPath))
    const source = envelope.success ? parseJson(Buffer.from(envelope.data.sourceBody, 'base64')) : undefined
    const message = queueMessage.safeParse(source)
    if (!message.success) return answerInvalid(c)
    return answerQueue(c, await handleFailureCallback(toJobContext(c, tokens), message.data.job_id))
  })

  router.openapi(reportOutcome(tokens), async (c) => {
    const { id } = c.req.valid('param')
    const report = await readReport(c)
    const { database } = c.var.upstreams
    const outcome = { ...report, attempt: null, mayHaveExecutedBefore: false }
    const settlement = await settle(database, id, outcome)
    if (!settlement) throw noSuchJob()
    const { job, effect, isChanged } = settlement
    if (isChanged) await recordTransitions(toFeedContext(c), [job], 'controller')
    if (effect === 'contradiction') {
      throw new TiebarError(
        'outcome_contradicts',
        `The job is ${job.state} with ${job.result}; the report was added to its timeline.`,
      )
    }
    return c.json({ job_id: job.id, state: job.state, result: job.result }, 200)
  })

  return router
}

/** @throws TiebarError `unsupported_media_type`, `body_too_large`, `malformed_json`, `validation_failed` */
async function readReport(c: AppContext): Promise<ControllerReport> {
  const bytes = await readAtMost(c.req.raw, maxReportBytes)
  const report = readControllerReport(bytes, c.req.header('Content-Type') ?? null)
  if (report === 'not_json') {
    refuseCompressed(c) // only now: some controllers send a Content-Encoding such as `utf-8`, which compresses nothing
    throw new TiebarError('malformed_json', 'The body is not JSON. Send an object with `result`.')
  }
  if (report === 'not_an_object') throw invalidReport('', 'must be a JSON object')
  // PENDING is no outcome: the controller has accepted the command already.
  if (report === 'no_result' || report.result === 'PENDING') {
    throw invalidReport('/result', `must be ${outcomes.join(' or ')}, or its number in the old system, 1 or 2`)
  }
  return report
}

function invalidReport(pointer: string, detail: string): TiebarError {
  return new TiebarError('validation_failed', 'The body is not valid: see errors.', { errors: [{ pointer, detail }] })
}

/**
 * Verifies the signature, then parses the body.
 * @returns undefined if the body is not JSON
 * @throws TiebarError `bad_signature`
 */
async function readSigned(c: AppContext, path: string): Promise<unknown> {
  const { PUBLIC_URL, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY } = c.var.environment
  const bytes = await readAtMost(c.req.raw, maxEnvelopeBytes)
  const keys = {
    current: QSTASH_CURRENT_SIGNING_KEY,
    next: QSTASH_NEXT_SIGNING_KEY,
  }
  await verifySignature(c.req.header('Upstash-Signature'), keys, `${PUBLIC_URL}${path}`, bytes)
  return parseJson(bytes)
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined // the caller answers 489
  }
}

/** QStash moves the message to its dead letter queue: https://upstash.com/docs/qstash/features/retry */
function answerInvalid(c: AppContext) {
  return c.body(null, 489 as never, { 'Upstash-NonRetryable-Error': 'true' }) // 489 is defined by QStash; Hono's type lacks it
}

function answerQueue(c: AppContext, answer: QueueAnswer) {
  if (answer.status === 200) return c.json({ done: true } as const, 200)
  if (answer.retryAfterSeconds !== undefined) c.header('Retry-After', String(answer.retryAfterSeconds))
  return c.json({ done: false } as const, 503)
}

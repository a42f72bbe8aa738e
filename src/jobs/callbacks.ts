// Endpoints for machines: the signed callbacks of QStash, and the outcome that a controller reports.

import { createRoute, z } from '@hono/zod-openapi'
import { createMiddleware } from 'hono/factory'
import type { TokenIssuer } from '../accounts/token.ts'
import type { AppContext, AppEnv } from '../http/context.ts'
import { readBearer } from '../http/middleware/authenticate.ts'
import { jsonBody, readAtMost } from '../http/middleware/json-body.ts'
import { body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { TiebarError } from '../kernel/error.ts'
import { type DeliveryContext, deliver, handleFailureCallback, type QueueAnswer } from './deliver.ts'
import { deliverPath, failedPath, toJobContext } from './dispatch.ts'
import { jobPath, outcomeBody, outcomeSchema, queueFailure, queueMessage } from './schema.ts'
import { verifySignature } from './signature.ts'
import { noSuchJob } from './sql/read.ts'
import { settle } from './sql/settle.ts'
import { recordTransitions } from './transition.ts'
import { describeWebhook } from './webhook.ts'

const tags = ['Callbacks']
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

/** Only for the OpenAPI document: the route does not validate the body, because it verifies the signature first. */
const queueBody = (name: 'QueueMessage' | 'QueueFailure') => ({
  body: { required: true, content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } },
})

const deliverJob = createRoute({
  method: 'post',
  path: deliverPath,
  operationId: 'deliverJob',
  tags,
  summary: 'QStash delivers a job',
  security: queueSecurity,
  request: queueBody('QueueMessage'),
  responses: queueResponses,
})

const failedJob = createRoute({
  method: 'post',
  path: failedPath,
  operationId: 'handleFailedJob',
  tags,
  summary: 'QStash has given up a message',
  security: queueSecurity,
  request: queueBody('QueueFailure'),
  responses: queueResponses,
})

const reportOutcome = (tokens: TokenIssuer) =>
  createRoute({
    method: 'post',
    path: '/api/callbacks/jobs/{id}/outcome',
    operationId: 'reportOutcome',
    tags,
    summary: 'A controller that answered PENDING reports the outcome',
    security: [{ outcome: [] }],
    middleware: [outcomeToken(tokens), jsonBody()] as const,
    request: { params: jobPath, body: body(outcomeBody) },
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
  describeWebhook(router)

  router.openapi(deliverJob, async (c) => {
    const message = queueMessage.safeParse(await readSigned(c, deliverPath))
    if (!message.success) return answerInvalid(c)
    return answerQueue(c, await deliver(toDeliveryContext(c, tokens), message.data.job_id))
  })

  router.openapi(failedJob, async (c) => {
    const envelope = queueFailure.safeParse(await readSigned(c, failedPath))
    const source = envelope.success ? parseJson(Buffer.from(envelope.data.sourceBody, 'base64')) : undefined
    const message = queueMessage.safeParse(source)
    if (!message.success) return answerInvalid(c)
    return answerQueue(c, await handleFailureCallback(toJobContext(c), message.data.job_id))
  })

  router.openapi(reportOutcome(tokens), async (c) => {
    const { id } = c.req.valid('param')
    const { result, detail } = c.req.valid('json')
    const { database, cache } = c.var.upstreams
    const outcome = {
      result,
      detail: detail ?? null,
      attempt: null,
      mayHaveExecutedBefore: false,
    }
    const settlement = await settle(database, id, outcome)
    if (!settlement) throw noSuchJob()
    const { job, effect, isChanged } = settlement
    if (isChanged) await recordTransitions({ trace: c.var.trace, cache }, [job], 'controller')
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

function toDeliveryContext(c: AppContext, tokens: TokenIssuer): DeliveryContext {
  return { ...toJobContext(c), tokens }
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

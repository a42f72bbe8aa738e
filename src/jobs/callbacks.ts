// The doors for machines: QStash's signed callbacks, and the outcome that a controller reports.
import { createRoute, z } from '@hono/zod-openapi'
import { createMiddleware } from 'hono/factory'
import type { TokenIssuer } from '../accounts/token.ts'
import type { AppContext, AppEnv } from '../http/context.ts'
import { readBearer } from '../http/middleware/authenticate.ts'
import { jsonBody, readAtMost } from '../http/middleware/json-body.ts'
import { body, createSlice, json, problems, type Slice } from '../http/openapi/router.ts'
import { TiebarError } from '../kernel/error.ts'
import { type CourierAnswer, type DeliveryContext, deliver, handleFailed } from './deliver.ts'
import { deliverPath, failedPath } from './dispatch.ts'
import { courierFailure, courierMessage, jobPath, outcomeBody, outcomeSchema } from './schema.ts'
import { verifySignature } from './signature.ts'
import { noSuchJob } from './sql/read.ts'
import { settle } from './sql/settle.ts'
import { liveWrite } from './status-cache.ts'
import { logTransition } from './transition.ts'
import { describeWebhook } from './webhook.ts'

const tags = ['Callbacks']
/** QStash's failure envelope carries the message twice and our own answer. */
const largestEnvelope = 256 * 1024

const courierResponses = {
  200: json(z.object({ done: z.literal(true) }), 'There is nothing more to do'),
  489: {
    description: 'The message cannot be read and never will be',
    headers: z.object({ 'Upstash-NonRetryable-Error': z.string() }),
  },
  503: json(z.object({ done: z.literal(false) }), 'Try again, after `Retry-After` seconds if given'),
  ...problems('bad_signature'),
}

const courierSecurity = [{ courier: [] }]

/** For the document alone: what the courier brings is read after its signature, not by the route's own validation. */
const courierBody = (name: 'CourierMessage' | 'CourierFailure') => ({
  body: { required: true, content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } } },
})

const deliverJob = createRoute({
  method: 'post',
  path: deliverPath,
  operationId: 'deliverJob',
  tags,
  summary: 'QStash delivers a job',
  security: courierSecurity,
  request: courierBody('CourierMessage'),
  responses: courierResponses,
})

const failedJob = createRoute({
  method: 'post',
  path: failedPath,
  operationId: 'handleFailedJob',
  tags,
  summary: 'QStash has given a message up',
  security: courierSecurity,
  request: courierBody('CourierFailure'),
  responses: courierResponses,
})

const reportOutcome = (tokens: TokenIssuer) =>
  createRoute({
    method: 'post',
    path: '/api/callbacks/jobs/{id}/outcome',
    operationId: 'reportOutcome',
    tags,
    summary: 'A controller that answered PENDING reports the end',
    security: [{ outcome: [] }],
    middleware: [outcomeToken(tokens), jsonBody()] as const,
    request: { params: jobPath, body: body(outcomeBody) },
    responses: {
      200: json(outcomeSchema, 'The report was taken'),
      ...problems('token_missing', 'token_invalid', 'not_found', 'outcome_contradicts'),
    },
  })

/** Lets a report pass only with the token that went to the controller with this job's command. */
function outcomeToken(tokens: TokenIssuer) {
  return createMiddleware<AppEnv>(async function outcomeToken(c, next) {
    const { sub } = await tokens.verifyFor(readBearer(c.req.header('Authorization')), 'outcome')
    if (sub !== c.req.param('id')?.toLowerCase()) {
      throw new TiebarError('token_invalid', 'The outcome token is for another job.')
    }
    await next()
  })
}

export function callbackRoutes({ tokens }: { tokens: TokenIssuer }): Slice {
  const slice = createSlice()
  slice.openAPIRegistry.register('CourierMessage', courierMessage)
  slice.openAPIRegistry.register('CourierFailure', courierFailure)
  describeWebhook(slice)

  slice.openapi(deliverJob, async (c) => {
    const message = courierMessage.safeParse(await readSigned(c, deliverPath))
    if (!message.success) return answerUnreadable(c)
    return answerCourier(c, await deliver(toContext(c, tokens), message.data.job_id))
  })

  slice.openapi(failedJob, async (c) => {
    const envelope = courierFailure.safeParse(await readSigned(c, failedPath))
    const source = envelope.success ? parseJson(Buffer.from(envelope.data.sourceBody, 'base64')) : undefined
    const message = courierMessage.safeParse(source)
    if (!message.success) return answerUnreadable(c)
    return answerCourier(c, await handleFailed(toContext(c, tokens), message.data.job_id))
  })

  slice.openapi(reportOutcome(tokens), async (c) => {
    const { id } = c.req.valid('param')
    const { result, detail } = c.req.valid('json')
    const { database, cache } = c.var.upstreams
    const outcome = {
      verdict: result,
      detail: detail ?? null,
      attempt: null,
      wasUnclear: false,
    }
    const settlement = await settle(database, id, outcome)
    if (!settlement) throw noSuchJob()
    const { job, effect, isMoved } = settlement
    if (isMoved) {
      logTransition(c.var.trace, job, 'controller')
      await cache.write([liveWrite(job)])
    }
    if (effect === 'contradiction') {
      throw new TiebarError('outcome_contradicts', `The job is ${job.state} with ${job.result}; the report was noted.`)
    }
    return c.json({ job_id: job.id, state: job.state, result: job.result }, 200)
  })

  return slice
}

function toContext(c: AppContext, tokens: TokenIssuer): DeliveryContext {
  const { upstreams, trace, environment } = c.var
  return {
    upstreams,
    tokens,
    publicUrl: environment.PUBLIC_URL,
    trace,
    waitUntil: (work) => c.executionCtx.waitUntil(work),
  }
}

/** The body, once its signature is known to be good; undefined when it is not JSON. */
async function readSigned(c: AppContext, path: string): Promise<unknown> {
  const { PUBLIC_URL, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY } = c.var.environment
  const bytes = await readAtMost(c.req.raw, largestEnvelope)
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
    return undefined // answered as unreadable
  }
}

/** https://upstash.com/docs/qstash/features/retry: straight to the dead letters. */
function answerUnreadable(c: AppContext) {
  return c.body(null, 489 as never, { 'Upstash-NonRetryable-Error': 'true' }) // 489 is QStash's own, in no list of statuses
}

function answerCourier(c: AppContext, answer: CourierAnswer) {
  if (answer.status === 200) return c.json({ done: true } as const, 200)
  if (answer.retryAfterSeconds !== undefined) c.header('Retry-After', String(answer.retryAfterSeconds))
  return c.json({ done: false } as const, 503)
}

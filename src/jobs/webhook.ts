// The command to a controller and its answer, for the OpenAPI document. `controller.ts` sends the command.
import { z } from '@hono/zod-openapi'
import { enumOf, time, uuid } from '../http/openapi/fields.ts'
import { json, type Router } from '../http/openapi/router.ts'
import type { ConfirmRequest } from '../machines/controller.ts'
import { sentDetail, sentResult } from './callback-schema.ts'
import { commands } from './commands.ts'
import type { ControllerCommand } from './controller.ts'
import { commandTexts, outcomes, outcomeTexts } from './value-texts.ts'

export const commandSchema = z
  .object({
    command: enumOf(commands, commandTexts),
    sequence: z
      .int()
      .min(1)
      .openapi({
        example: 12,
        description:
          'The order of the commands of the machine. The controller must refuse a command whose sequence is lower than ' +
          'the highest that it has received, and must give up a START in progress when a STOP arrives',
      }),
    job_id: uuid.openapi({ description: 'The same for every attempt. Execute each job only once' }),
    machine_id: z.int().openapi({ example: 42 }),
    attempt: z.int().min(1),
    not_after: time.openapi({ description: 'The controller must not execute the command after this time' }),
    outcome_url: z.url().openapi({
      description: 'Where to report the outcome after the answer PENDING',
      example: 'https://api.example.com/api/callbacks/jobs/0198c0de-7c1a-7000-8000-000000000001/outcome',
    }),
    outcome_token: z
      .string()
      .openapi({ description: 'Bearer token for `outcome_url`, valid for 24 hours', example: 'eyJhbGciOi…' }),
  })
  .openapi('ControllerCommand') satisfies z.ZodType<ControllerCommand>

const answer = z
  .object({
    result: sentResult(
      [...outcomes, 'PENDING'],
      { ...outcomeTexts, PENDING: 'The machine is executing the command. The outcome is reported later.' },
      { SUCCESS: 1, REMOTEFAILED: 2, PENDING: 4 },
    ),
    detail: sentDetail,
  })
  .openapi('ControllerAnswer')

const challengeExample = '0b6f0b0e-3c1e-4a55-9d1f-5d2b8c7a9e10'

const confirmRequest = z
  .object({
    command: enumOf(['CONFIRM'], { CONFIRM: 'Asks whether the controller controls the machine.' }),
    machine_id: z.int().openapi({ example: 42 }),
    owner: z.string().openapi({ example: 'kim', description: 'The username of the owner of the machine' }),
    challenge: z.string().openapi({ example: challengeExample, description: 'To be repeated in the answer' }),
  })
  .openapi('ConfirmRequest') satisfies z.ZodType<ConfirmRequest>

const confirmAnswer = z
  .object({
    machine_id: z.int().openapi({ example: 42 }),
    challenge: z.string().openapi({ example: challengeExample }),
  })
  .openapi('ConfirmAnswer')

const confirmDescription = `
Posted to the \`controller_url\` of a machine before its first command, and by \`POST …/controller/check\`. A controller
answers 200 with its own machine id and the challenge, and only if \`machine_id\` is its own; otherwise 401. Commands are
sent only after that. The request is signed like a command, without the claim \`sequence\`.
`.trim()

const description = `
Posted to the \`controller_url\` of the machine. The controller must answer within 10 seconds. Redirects are not followed.

The Authorization header has a JWT (EdDSA, valid for 60 seconds) that is signed with one of the keys at
\`/.well-known/jwks.json\`. Its claims: \`iss\` is the origin of Tiebar, \`aud\` the URL of the controller, \`sub\` the job,
\`machine\` the id of the machine, \`sequence\` as in the body, \`body_sha256\` the base64url SHA-256 of the body. A
controller must verify all of them, and that \`machine\` is its own machine: the signature proves only who sent the command.
`.trim()

/** Adds webhooks to the document: operations that controllers serve and Tiebar calls. */
export function describeWebhook(router: Router): void {
  router.openAPIRegistry.registerWebhook({
    method: 'post',
    path: 'confirm',
    operationId: 'confirmMachine',
    tags: ['Callbacks'],
    summary: 'Tiebar asks a controller whether it controls a machine',
    description: confirmDescription,
    security: [{ controller: [] }],
    request: { body: { required: true, content: { 'application/json': { schema: confirmRequest } } } },
    responses: {
      200: json(confirmAnswer, 'The controller controls this machine'),
      401: { description: 'The controller controls another machine, or the request is not signed by its Tiebar' },
    },
  })
  router.openAPIRegistry.registerWebhook({
    method: 'post',
    path: 'command',
    operationId: 'sendCommand',
    tags: ['Callbacks'],
    summary: 'Tiebar sends a command to the controller of a machine',
    description,
    security: [{ controller: [] }],
    request: {
      headers: z.object({ 'Idempotency-Key': uuid.openapi({ description: 'The id of the job' }) }),
      body: { required: true, content: { 'application/json': { schema: commandSchema } } },
    },
    responses: {
      '2XX': json(answer, 'The result of the command. Any other body, and any 3xx, fails the job with `bad_answer`'),
      '4XX': { description: 'The controller refuses the command: the job fails. Exceptions: 408, 425 and 429' },
      403: {
        description:
          'The controller refuses the command: the job fails. A 403 by Cloudflare (`cf-mitigated`, error 1003 or 1020) did not ' +
          'reach the controller: the command is sent again while there is time',
      },
      408: { description: 'It is unknown whether the machine acted. The command is sent again while there is time' },
      425: { description: 'It is unknown whether the machine acted. The command is sent again while there is time' },
      429: { description: 'Busy, the machine did not act. The command is sent again while there is time' },
      503: { description: 'Busy, the machine did not act. The command is sent again while there is time' },
      '5XX': { description: 'It is unknown whether the machine acted. The command is sent again while there is time' },
    },
  })
}

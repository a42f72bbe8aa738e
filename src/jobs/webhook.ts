// The command to a controller and its answer, for the OpenAPI document. `controller.ts` sends the command.
import { z } from '@hono/zod-openapi'
import { enumOf, text, time, uuid } from '../http/openapi/fields.ts'
import { json, type Router } from '../http/openapi/router.ts'
import { commands } from './commands.ts'
import type { ControllerCommand } from './controller.ts'
import { maxDetailLength } from './job.ts'
import { commandTexts, outcomes, outcomeTexts } from './value-texts.ts'

const command = z
  .object({
    command: enumOf(commands, commandTexts),
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

const oldNumber = <const Value extends number>(value: Value, name: string) =>
  z.literal(value).openapi({
    description: `The number of ${name} in the old system.`,
    'x-enum-descriptions': [`${name}, as a number.`],
  })

const answer = z
  .object({
    result: z
      .union([
        enumOf([...outcomes, 'PENDING'], {
          ...outcomeTexts,
          PENDING: 'The machine is executing the command. The outcome is reported later.',
        }),
        oldNumber(1, 'SUCCESS'),
        oldNumber(2, 'REMOTEFAILED'),
        oldNumber(4, 'PENDING'),
      ])
      .openapi({ description: 'A name, or its number in the old system' }),
    detail: text(0, maxDetailLength).nullish().openapi({ example: 'clamp closed' }),
  })
  .openapi('ControllerAnswer')

const description = `
Posted to the \`controller_url\` of the machine. The controller must answer within 10 seconds. Redirects are not followed.

The Authorization header has a JWT (EdDSA, \`aud\` is \`controller\`, valid for 60 seconds) that is signed with one of the
keys at \`/.well-known/jwks.json\`; its claim \`body_sha256\` is the base64url SHA-256 of the body. A controller needs
nothing else to authenticate the sender.
`.trim()

/** Adds the command to the document as a webhook: an operation that controllers serve and Tiebar calls. */
export function describeWebhook(router: Router): void {
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
      body: { required: true, content: { 'application/json': { schema: command } } },
    },
    responses: {
      '2XX': json(answer, 'The result of the command. Any other body, and any 3xx, fails the job with `bad_answer`'),
      '4XX': { description: 'The controller refuses the command: the job fails. Exceptions: 408, 425 and 429' },
      408: { description: 'It is unknown whether the machine acted. The command is sent again while there is time' },
      425: { description: 'It is unknown whether the machine acted. The command is sent again while there is time' },
      429: { description: 'Busy, the machine did not act. The command is sent again while there is time' },
      503: { description: 'Busy, the machine did not act. The command is sent again while there is time' },
      '5XX': { description: 'It is unknown whether the machine acted. The command is sent again while there is time' },
    },
  })
}

// Endpoints on everything that is stored of the caller: its export, and the deletion of the account.
import { createRoute, z } from '@hono/zod-openapi'
import { wrongPassword } from '../accounts/account.ts'
import { invalidateKey, invalidateSession } from '../accounts/caller-cache.ts'
import { confirmPassword } from '../accounts/confirm-password.ts'
import { keySchema } from '../accounts/key-schema.ts'
import { currentPassword, storedSessionSchema, userSchema } from '../accounts/schema.ts'
import { readOwnCredentials } from '../accounts/sql/profile.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { time } from '../http/openapi/fields.ts'
import { bearerSecurity, body, createRouter, json, problems, type Router } from '../http/openapi/router.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { auditEventSchema } from '../machines/audit.ts'
import { holdSchema } from '../machines/hold.ts'
import { machineSchema } from '../machines/schema.ts'
import { memberSchema, siteSchema } from '../sites/schema.ts'
import { jobSchema, toJob } from './schema.ts'
import { anonymizeAccount, type Export, readExport } from './sql/personal-data.ts'

const tags = ['Accounts']
const maxRows = 1_000

const exportSchema = z
  .object({
    account: userSchema,
    sessions: z.array(storedSessionSchema),
    keys: z.array(keySchema),
    roles: z.array(
      z.object({
        site_id: z.int().nullable(),
        machine_id: z.int().nullable(),
        role: memberSchema.shape.role,
        expires_at: time.nullable(),
      }),
    ),
    sites: z
      .array(siteSchema.omit({ my_role: true }).extend({ deleted_at: time.nullable() }))
      .openapi({ description: 'Sites that I created' }),
    machines: z
      .array(
        machineSchema.omit({ my_role: true, delivery: true, reported: true }).extend({ deleted_at: time.nullable() }),
      )
      .openapi({ description: 'Machines that I own' }),
    holds: z
      .array(z.object({ ...holdSchema.shape, removed_at: time.nullable() }))
      .openapi({ description: 'Holds that I placed or overrode' }),
    jobs: z.array(jobSchema).openapi({
      description: `Jobs that I requested, newest first, at most ${maxRows}. All: GET /api/machines/history?requested_by=me`,
    }),
    changes: z.array(auditEventSchema).openapi({
      description: `Audit events of what I did, and of what others did to my account, newest first, at most ${maxRows}. Staff can read all: GET /api/audit`,
    }),
  } satisfies Record<keyof Export, z.ZodType>)
  .openapi('Export')

const readMyData = createRoute({
  method: 'get',
  path: '/api/me/export',
  operationId: 'exportMe',
  tags,
  summary: 'Export what is stored of me',
  description:
    'Everything except secrets and their hashes. What is deleted within a day is left out: the outcomes of requests with an ' +
    'Idempotency-Key, and a token for a new password. The reason of a cancellation is in the history of the machine.',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  responses: { 200: json(exportSchema, 'What is stored') },
})

const deletion = createRoute({
  method: 'delete',
  path: '/api/me',
  operationId: 'deleteMe',
  tags,
  summary: 'Delete my account',
  description:
    'The data of the account is deleted, its sessions and keys end, and its username and e-mail address become free. Its id ' +
    'is kept, because the history of machines names it. Texts about machines are kept, too: names of sites, and reasons of ' +
    'holds and of cancellations. This cannot be undone. A START that has not been sent is never sent.',
  security: bearerSecurity,
  middleware: [authenticate(), jsonBody()] as const,
  request: { body: body(bodyOf('AccountDeletion', { current_password: currentPassword })) },
  responses: {
    204: { description: 'The account is deleted' },
    ...problems('wrong_password', 'has_holds', 'owns_machines', 'last_manager', 'last_staff', 'rate_limited'),
  },
})

export function personalDataRoutes(): Router {
  const router = createRouter()

  router.openapi(readMyData, async (c) => {
    const found = await readExport(c.var.upstreams.database, c.var.session, maxRows)
    c.header('Content-Disposition', 'attachment; filename="tiebar-export.json"')
    return c.json({ ...found, jobs: found.jobs.map(toJob) }, 200)
  })

  router.openapi(deletion, async (c) => {
    const { database, cache } = c.var.upstreams
    const own = await readOwnCredentials(database, c.var.session)
    await confirmPassword(c, own, c.req.valid('json').current_password)
    const ended = await anonymizeAccount(database, c.var.session, own.password_hash)
    if (!ended) throw wrongPassword()
    await cache.write([...ended.sessionIds.map(invalidateSession), ...ended.keyIds.map(invalidateKey)])
    return c.body(null, 204)
  })

  return router
}

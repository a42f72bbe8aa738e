// The endpoint for audit events: who changed which right, member, key or machine.
import { createRoute, z } from '@hono/zod-openapi'
import { auditActions, auditSubjects } from '../accounts/audit.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { accountReference, enumOf, instant, pageQuery, time, type ValueTexts } from '../http/openapi/fields.ts'
import { bearerSecurity, createRouter, json, type Router } from '../http/openapi/router.ts'
import { answerPage, readPage, toPage } from '../http/pagination/page.ts'
import { type AuditRow, auditSorts, listAuditEvents, toAuditEvent } from './sql/audit.ts'

const actionTexts: ValueTexts<typeof auditActions> = {
  'account.add': 'Staff created an account.',
  'account.rights': 'Staff rights were granted or revoked, or an account was disabled or enabled.',
  'account.reset_issue': 'Staff issued a token for a new password.',
  'account.reset_use': 'The token was used: the account has a new password.',
  'account.password': 'A program of the operator replaced the password.',
  'account.delete': 'The account was deleted by its owner and anonymised.',
  'site.add': 'A site was created.',
  'site.rename': 'A site was renamed. Names are not stored here.',
  'site.delete': 'A site was deleted.',
  'member.add': 'An account got a role on the site or the machine.',
  'member.change': 'The role of a member was changed, or the time at which it ends.',
  'member.remove': 'An account lost its role.',
  'key.add': 'An API key was created.',
  'key.revoke': 'An API key was revoked.',
  'machine.add': 'A machine was registered.',
  'machine.status': 'A person set the status by hand.',
  'machine.controller': 'The controller of the machine was changed or removed.',
  'machine.site': 'The machine was moved to another site.',
  'machine.delete': 'The machine was deleted.',
  'hold.place': 'Somebody placed a hold on the machine.',
  'hold.remove': 'The hold was removed by the account that placed it.',
  'hold.override': 'A manager overrode the hold.',
  'operation.refuse':
    'Somebody without the role sent a command, which was refused. At most one event a minute for each command.',
  'database.restore':
    'After a restore from a backup, a program of the operator ended all sessions, keys and open jobs.',
  'database.import': 'A program of the operator imported data of the old system.',
}

const values = z
  .object({})
  .catchall(z.unknown())
  .nullable()
  .openapi({ description: 'The values that changed, by name. Null: there were none, or they are not stored' })

export const auditEventSchema = z
  .object({
    id: z.int(),
    at: time,
    actor: z.int().nullable().openapi({
      description: 'The account that made the change. Null: a program that was run with access to the database',
    }),
    key_id: z.uuid().nullable().openapi({ description: 'The API key with which the actor made the change' }),
    action: enumOf(auditActions, actionTexts),
    subject: z.string().openapi({
      description: `What was changed, such as \`machine:42\`: one of ${auditSubjects.join(', ')}, and an id after a colon (\`database\` has none)`,
    }),
    before: values,
    after: values,
  } satisfies Record<keyof AuditRow, z.ZodType>)
  .openapi('AuditEvent', {
    example: {
      id: 311,
      at: '2026-11-22T09:30:00.000000Z',
      actor: 7,
      key_id: null,
      action: 'member.add',
      subject: 'site:3',
      before: null,
      after: { account_id: 8, role: 'operator', expires_at: null },
    },
  })

const auditPage = z
  .object({
    items: z.array(auditEventSchema),
    next_cursor: z.string().nullable().openapi({ example: 'WyItYXQiLCIyMDI2Il0' }),
  })
  .openapi('AuditPage')

const subjectPattern = `^((${auditSubjects.join('|')}):[0-9a-f-]{1,36}|database)$`

const auditQuery = pageQuery.extend({
  actor: accountReference.optional(),
  subject: z
    .string()
    .regex(new RegExp(subjectPattern), `must be one of ${auditSubjects.join(', ')} and an id, such as machine:42`)
    .optional()
    .openapi({ example: 'machine:42' }),
  action: enumOf(auditActions, actionTexts).optional(),
  from: instant.optional().openapi({ description: 'Changed at this time or later' }),
  to: instant.optional().openapi({ description: 'Changed before this time' }),
})

const list = createRoute({
  method: 'get',
  path: '/api/audit',
  operationId: 'listAuditEvents',
  tags: ['Audit'],
  summary: 'Who changed which right, member, key or machine, newest first',
  description:
    'Staff see all events. Others see those of the machines and sites that they manage now, and of the keys limited to them. ' +
    'Events have no names, e-mail addresses or secrets. Commands are in the history of the machine.',
  security: bearerSecurity,
  middleware: [authenticate()] as const,
  request: { query: auditQuery },
  responses: { 200: json(auditPage, 'One page of audit events') },
})

export function auditRoutes(): Router {
  const router = createRouter()

  router.openapi(list, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid('query')
    const page = readPage(auditSorts, { sort: '-at', limit, cursor })
    const rows = await listAuditEvents(c.var.upstreams.database, c.var.session, filter, page)
    return answerPage(c, toPage(page, rows, toAuditEvent))
  })

  return router
}

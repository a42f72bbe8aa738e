// Request and response schemas of API keys.
import { z } from '@hono/zod-openapi'
import { enumOf, futureTime, label, pageQuery, time, uuid } from '../http/openapi/fields.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { scopes } from '../kernel/scope.ts'
import type { Key } from './sql/keys.ts'

const scope = enumOf(scopes, {
  read: 'Read machines, their history, and jobs.',
  start: 'START machines, and cancel jobs.',
  stop: 'STOP machines, and cancel jobs.',
  manage: 'Register, change and delete machines, and check their controllers.',
  report: 'For the controller of a machine: report its status. The key must be limited to a machine or a site.',
}).openapi('KeyScope')
const scopeList = z.array(scope).openapi({ example: ['read', 'stop'] })
const placeId = z.int().min(1).nullable()
const limited = {
  machine_id: 'The only machine that the key can see and operate',
  site_id: 'The only site whose machines the key can see and operate',
}

export const keySchema = z
  .object({
    id: z.uuid().openapi({ example: '0198c0de-7c1a-7000-8000-000000000002' }),
    name: z.string().openapi({ example: 'MES line 2' }),
    scopes: scopeList,
    machine_id: placeId.openapi({ example: 42, description: limited.machine_id }),
    site_id: placeId.openapi({ example: null, description: limited.site_id }),
    created_at: time,
    expires_at: time.nullable(),
    revoked_at: time.nullable(),
  } satisfies Record<keyof Key, z.ZodType>)
  .openapi('Key')

export const newKeyBody = bodyOf('NewKey', {
  name: label(1, 64).openapi({ example: 'MES line 2' }),
  scopes: scopeList
    .min(1)
    .max(scopes.length)
    .refine((list) => new Set(list).size === list.length, 'must not name a scope twice')
    .openapi({ uniqueItems: true }),
  machine_id: placeId.default(null).openapi({ description: limited.machine_id }),
  site_id: placeId.default(null).openapi({ description: limited.site_id }),
  expires_at: futureTime.nullable().default(null),
})

export const newKeySchema = z
  .object({
    key: keySchema,
    secret: z.string().openapi({
      example: `tbk_0198c0de-7c1a-7000-8000-000000000002_${'0'.repeat(43)}`,
      description: 'Send it as `Authorization: Bearer tbk_…`, never in a URL. It cannot be shown again.',
    }),
  })
  .openapi('KeyWithSecret')

export const keyPage = z
  .object({
    items: z.array(keySchema),
    next_cursor: z.string().nullable().openapi({ example: 'WyItaWQiLCJhIiwiYSJd' }),
  })
  .openapi('KeyPage')

export const keyPath = z.object({ id: uuid })
export const keyQuery = pageQuery

// Request and response schemas of sites and members.
import { z } from '@hono/zod-openapi'
import {
  enumOf,
  futureTime,
  label,
  numericId,
  pageQuery,
  sortOf,
  time,
  type ValueTexts,
} from '../http/openapi/fields.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { roles } from './role.ts'
import type { MemberRow } from './sql/members.ts'
import { type SiteRow, siteSorts } from './sql/sites.ts'

const roleTexts: ValueTexts<typeof roles> = {
  viewer: 'Reads the machine, its history and its jobs.',
  operator: 'Also sends START and STOP, and cancels jobs.',
  manager: 'Also changes, moves and deletes the machine, and its members.',
}
export const role = enumOf(roles, roleTexts)

const name = label(1, 64).openapi({ example: '1공장' })

export const siteSchema = z
  .object({
    id: z.int().openapi({ example: 3 }),
    name: z.string().openapi({ example: '1공장' }),
    my_role: role.openapi({ example: 'manager' }),
    created_at: time,
    updated_at: time,
  } satisfies Record<keyof SiteRow, z.ZodType>)
  .openapi('Site')

const nextCursor = z.string().nullable().openapi({ example: 'WyJpZCIsIjIwIiwiMjAiXQ' })
export const sitePage = z.object({ items: z.array(siteSchema), next_cursor: nextCursor }).openapi('SitePage')

export const newSiteBody = bodyOf('NewSite', { name }, siteSchema)
export const sitePatchBody = bodyOf('SitePatch', { name: name.optional() }, siteSchema)
export const siteQuery = pageQuery.extend({ sort: sortOf(siteSorts.names).default('id') })

export const memberSchema = z
  .object({
    account_id: z.int().openapi({ example: 8 }),
    username: z.string().openapi({ example: 'jisoo' }),
    role: role.openapi({ example: 'operator' }),
    expires_at: time.nullable().openapi({ description: 'When the role ends. Null: it does not end' }),
  } satisfies Record<keyof MemberRow, z.ZodType>)
  .openapi('Member')

export const memberPage = z.object({ items: z.array(memberSchema), next_cursor: nextCursor }).openapi('MemberPage')

/** For an account that is a member already, the body replaces its role and `expires_at`. */
export const memberBody = bodyOf(
  'NewMember',
  {
    username: label(1, 150).openapi({ example: 'jisoo' }),
    role: role.openapi({ example: 'operator' }),
    expires_at: futureTime.nullable().default(null),
  },
  memberSchema,
)

export const placePath = z.object({ id: numericId })
export const memberPath = z.object({ id: numericId, account_id: numericId })

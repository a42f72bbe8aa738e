// Holds as the API shows them.
import { z } from '@hono/zod-openapi'
import { time } from '../http/openapi/fields.ts'

export type Hold = {
  id: number
  machine_id: number
  reason: string
  placed_by: number
  placed_at: string
  override: { by: number; at: string; reason: string } | null
}

export const holdSchema = z
  .object({
    id: z.int().openapi({ example: 12 }),
    machine_id: z.int().openapi({ example: 42 }),
    reason: z.string().openapi({ example: '금형 교체 중' }),
    placed_by: z
      .int()
      .openapi({ example: 17, description: 'The account that placed it. Only this account can remove it' }),
    placed_at: time,
    override: z
      .object({
        by: z.int().openapi({ example: 7 }),
        at: time,
        reason: z.string().openapi({ example: '작업자가 퇴근했음' }),
      })
      .nullable()
      .openapi({ description: 'Not null: a manager has overridden the hold, so it is no longer in force' }),
  } satisfies Record<keyof Hold, z.ZodType>)
  .openapi('Hold')

// Response schemas of the board.
import { z } from '@hono/zod-openapi'
import { type Job, jobSchema, toJob } from '../jobs/schema.ts'
import { type Hold, holdSchema } from '../machines/hold.ts'
import { type MachineAnswer, machineSchema, toMachine } from '../machines/schema.ts'
import type { BoardRow } from './sql/board.ts'

const boardMachineSchema = z
  .object({
    ...machineSchema.shape,
    revision: z.int().openapi({
      example: 7,
      description: 'Higher after every change of the machine that the API shows, but for times and counters of reports',
    }),
    holds: z
      .array(holdSchema)
      .nullable()
      .openapi({ description: 'The holds in force. Null if the caller has no role on the machine' }),
    // `nullable` would make a document that demands an object.
    open_job: z.union([jobSchema, z.null()]).openapi({
      description: 'The job that has not ended. Null without one, or if the caller has no role on the machine',
    }),
  })
  .openapi('BoardMachine')

export const boardPage = z
  .object({
    items: z.array(boardMachineSchema),
    next_cursor: z.string().nullable().openapi({ example: 'WyJpZCIsIjIwIiwiMjAiXQ' }),
  })
  .openapi('BoardPage')

type BoardMachine = MachineAnswer & { revision: number; holds: Hold[] | null; open_job: Job | null }

export function toBoardMachine(row: BoardRow): BoardMachine {
  const { revision, holds, open_job: job } = row
  return { ...toMachine(row), revision, holds, open_job: job && toJob(job) }
}

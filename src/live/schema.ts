// Response schemas of the board, and the data of events of the change feed.
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

export const changeEvents = {
  MachineChanged: z
    .object({
      id: z.int().openapi({ example: 42 }),
      revision: z
        .int()
        .openapi({ example: 7, description: 'The revision of the board; the ETag of the machine begins with it' }),
    })
    .openapi('MachineChanged'),
  JobChanged: z
    .object({
      id: z.uuid().openapi({ example: '019ab1f0-7f2a-7c31-9d2b-1f3c5a7e9b11' }),
      machine_id: z.int().openapi({ example: 42 }),
      version: z.int().openapi({ example: 3 }),
    })
    .openapi('JobChanged'),
}

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

// Response schemas of the board, and the data of events of the change feed.
import { z } from '@hono/zod-openapi'
import { enumOf } from '../http/openapi/fields.ts'
import { type Job, jobSchema, toJob } from '../jobs/schema.ts'
import { type Hold, holdSchema } from '../machines/hold.ts'
import { type MachineAnswer, machineSchema, toMachine } from '../machines/schema.ts'
import { feedEvents } from './audience.ts'
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

const machineChanged = z
  .object({
    id: z.int().openapi({ example: 42 }),
    revision: z
      .int()
      .openapi({ example: 7, description: 'The revision in the board. The ETag of the machine has it, too' }),
  })
  .openapi('MachineChanged')

const jobChanged = z
  .object({
    id: z.uuid().openapi({ example: '019ab1f0-7f2a-7c31-9d2b-1f3c5a7e9b11' }),
    machine_id: z.int().openapi({ example: 42 }),
    version: z.int().openapi({ example: 3 }),
  })
  .openapi('JobChanged')

/** One event of the stream. The last of some events that belong together has the id. */
export const changeEvent = z
  .object({
    event: enumOf(feedEvents, {
      machine: 'A machine has changed, or was deleted. The data is a `MachineChanged`.',
      job: 'A job has a new version. The data is a `JobChanged`.',
      reset: 'Events are lost, or what you may see has changed: read again all that you show. The data is `{}`.',
    }),
    data: z.union([machineChanged, jobChanged, z.object({})]).openapi({ description: 'As JSON, in one line' }),
    id: z.string().optional().openapi({ example: '1763855005000-0.q3Jk9_Ab' }),
  })
  .openapi('ChangeEvent')

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

// Schemas of what machines report, and of the answer, which may contain a command.
import { z } from '@hono/zod-openapi'
import { enumOf, nameOrNumber, text, uuid, type ValueTexts } from '../http/openapi/fields.ts'
import { problemSchema } from '../http/openapi/router.ts'
import { bodyOf } from '../http/openapi/strict-input.ts'
import { cutText } from '../kernel/text.ts'
import { holdSchema } from '../machines/hold.ts'
import { machineStatuses } from '../machines/machine.ts'
import { defaultIntervalSeconds, machineModes } from '../machines/report.ts'
import { modeTexts, statusTexts } from '../machines/schema.ts'
import { sentDetail } from './callback-schema.ts'
import { readDetail, readResult } from './controller-report.ts'
import type { ReportRow } from './sql/report-input.ts'
import { outcomes, outcomeTexts } from './value-texts.ts'
import { commandSchema } from './webhook.ts'

const maxReports = 100
const maxAlarmText = 1_000

/** Free text of a machine. The report is accepted even if this text is invalid. A number is read as text. */
const freeText = (maxLength: number, example: string) =>
  z
    .preprocess((value) => cutText(readDetail(value) ?? '', maxLength), z.string())
    .openapi({ type: 'string', example, description: `At most ${maxLength} characters of it are kept` })

const alarm = z
  .strictObject({ code: freeText(64, 'E-204'), text: freeText(maxAlarmText, '금형 보호 이상') })
  .nullable()
  .optional()
  .openapi({ description: 'Null or absent: there is no alarm' })

const results = [...outcomes, 'PENDING'] as const
const resultTexts: ValueTexts<typeof results> = {
  ...outcomeTexts,
  PENDING: 'The machine is still executing the command.',
}
const result = enumOf(results, resultTexts)

const outcome = z
  .strictObject({
    job_id: uuid,
    result: z.preprocess(readResult, result).openapi({ type: 'string', enum: [...results], example: 'SUCCESS' }),
    detail: sentDetail,
  })
  .optional()

const members = {
  boot_id: text(1, 64).openapi({
    example: '2026-11-22T08:00:00Z',
    description: 'Identifies one run of the program that reports: any text that is new at each start',
  }),
  seq: z.int().min(0).openapi({
    example: 1042,
    description: 'Counts the reports since the start. A report whose number is not higher than the last one is ignored',
  }),
  status: nameOrNumber(machineStatuses, 0, statusTexts).openapi({ example: 'RUNNING' }),
  mode: enumOf(machineModes, modeTexts).optional().openapi({ example: 'automatic' }),
  remote_enabled: z
    .boolean()
    .optional()
    .openapi({ example: true, description: 'False: the machine accepts no remote START, and Tiebar sends none' }),
  cycles: z
    .int()
    .min(0)
    .optional()
    .openapi({ example: 120_345, description: 'The total number of cycles of the machine' }),
  last_cycle_ms: z.int().min(0).max(2_147_483_647).optional().openapi({ example: 31_500 }),
  alarm,
  interval_seconds: z
    .int()
    .min(5)
    .max(300)
    .optional()
    .openapi({ example: 10, description: `The interval between two reports; ${defaultIntervalSeconds} by default` }),
  outcome: outcome.openapi({
    description: 'The outcome of a command that the machine fetched. Repeat it until a report with it is answered',
  }),
}

export const reportBody = bodyOf('MachineReport', members)
export const siteReport = z
  .strictObject({ machine_id: z.int().min(1).openapi({ example: 42 }), ...members })
  .openapi('SiteReport')
export type MachineReport = z.infer<typeof siteReport>

/** Each report is checked separately, so that an invalid one does not affect the others. */
export const siteReportsBody = bodyOf('SiteReports', {
  reports: z
    .array(z.unknown().openapi({ $ref: '#/components/schemas/SiteReport' } as never)) // the type lacks references
    .min(1)
    .max(maxReports),
})

const fetchedCommand = z
  .object({
    ...commandSchema.shape,
    token: z.string().openapi({
      example: 'eyJhbGciOi…',
      description:
        'For a gateway that passes the command on: a JWT (EdDSA) with the claims `machine`, `sequence`, `command` and ' +
        '`not_after`; `aud` is `machine:` and the id. A machine that fetches its own commands needs no proof but TLS',
    }),
  })
  .openapi('FetchedCommand')

const answer = {
  holds: z.array(holdSchema).openapi({ description: 'The holds in force: somebody is at the machine' }),
  command: fetchedCommand
    .nullable()
    .openapi({ description: 'Execute it once for each `job_id`, and report its outcome' }),
  problem: problemSchema
    .optional()
    .openapi({ description: 'Why a part of the report was not accepted. The rest was accepted' }),
}
const reportAgain = z.int().openapi({
  example: 10,
  description:
    'When to report again, after the answer: sooner than the interval while a job is open or if the answer was held',
})

export const reportAnswer = z.object({ report_again_in_seconds: reportAgain, ...answer }).openapi('ReportAnswer')
export const siteReportsAnswer = z
  .object({
    report_again_in_seconds: reportAgain,
    results: z
      .array(z.object({ machine_id: z.int().nullable(), ...answer }))
      .openapi({ description: 'In the order of the reports' }),
  })
  .openapi('SiteReportsAnswer')

export const waitQuery = z.object({
  wait: z
    .string()
    .regex(/^([1-9]|1\d|2[0-5])$/, 'must be 1 to 25')
    .transform(Number)
    .optional()
    .openapi({
      type: 'integer',
      minimum: 1,
      maximum: 25,
      description: 'Seconds for which the answer may be held until there is a command',
    }),
})

/** A report as it is stored. */
export function toReportRow({ machine_id, alarm, outcome, ...report }: MachineReport): ReportRow {
  const { boot_id, seq, status, mode, remote_enabled, cycles, last_cycle_ms, interval_seconds } = report
  return {
    machine_id,
    boot_id,
    seq,
    status,
    mode: mode ?? null,
    remote_enabled: remote_enabled ?? null,
    cycles: cycles ?? null,
    last_cycle_ms: last_cycle_ms ?? null,
    alarm_code: alarm ? alarm.code : null,
    alarm_text: alarm ? alarm.text : null,
    interval_seconds: interval_seconds ?? defaultIntervalSeconds,
    outcome_job_id: outcome?.job_id ?? null,
  }
}

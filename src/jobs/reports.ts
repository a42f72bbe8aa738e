// Endpoints for the reports of machines. A machine without a `controller_url` gets its commands in the answers.
import { createRoute } from '@hono/zod-openapi'
import type { TokenIssuer } from '../accounts/token.ts'
import type { AppContext, Caller } from '../http/context.ts'
import { authenticate } from '../http/middleware/authenticate.ts'
import { jsonBody } from '../http/middleware/json-body.ts'
import { explainFaults } from '../http/openapi/faults.ts'
import { body, createRouter, json, keySecurity, problems, type Router } from '../http/openapi/router.ts'
import { type ProblemBody, toProblem } from '../http/problems/problem.ts'
import { TiebarError } from '../kernel/error.ts'
import type { Hold } from '../machines/hold.ts'
import { explainRefusal } from '../machines/refusals.ts'
import { type JobContext, toJobContext } from './context.ts'
import { readControllerJson } from './controller-report.ts'
import { type Handled, handleReport, handleReports, nextReportSeconds, toFetchedCommand } from './pull.ts'
import {
  type MachineReport,
  reportAnswer,
  reportBody,
  siteReport,
  siteReportsAnswer,
  siteReportsBody,
  waitQuery,
} from './report-schema.ts'
import { machinePath } from './schema.ts'

const tags = ['Reports']
const scopes = ['report'] as const

const description = `
Text that is not UTF-8 is read by the \`charset\` of the Content-Type, or with replacement characters. A report is accepted
even if its free text is invalid. A report is answered and ignored if its \`seq\` is not higher than the last one of its
\`boot_id\`, or if its \`boot_id\` is the one before the current one. A machine without \`controller_url\` gets its commands here.
It executes each \`job_id\` once. It refuses a command with a lower \`sequence\` than the highest that it has seen, and a command
after its \`not_after\`. It gives up a START when a STOP arrives. If the answer is lost, the same job is handed out again.
`.trim()

const report = createRoute({
  method: 'post',
  path: '/api/machines/{id}/reports',
  operationId: 'reportMachine',
  tags,
  summary: 'A machine reports what it does, and fetches a command',
  description,
  security: keySecurity('report'),
  middleware: [authenticate({ scopes }), jsonBody({ read: readControllerJson })] as const,
  request: { params: machinePath, query: waitQuery, body: body(reportBody) },
  responses: {
    200: json(reportAnswer, 'The report was stored or ignored'),
    ...problems('not_found', 'not_owner', 'role_too_low'),
  },
})

const reportSite = createRoute({
  method: 'post',
  path: '/api/sites/{id}/reports',
  operationId: 'reportMachinesOfSite',
  tags,
  summary: 'A gateway reports for machines of a site, and fetches their commands',
  description:
    'Each report is checked separately: an invalid one has a `problem` in its result and does not affect the others.',
  security: keySecurity('report'),
  middleware: [authenticate({ scopes }), jsonBody({ read: readControllerJson })] as const,
  request: { params: machinePath, body: body(siteReportsBody) },
  responses: {
    200: json(siteReportsAnswer, 'The results of the reports'),
    ...problems('not_found', 'role_too_low'),
  },
})

export function reportRoutes({ tokens }: { tokens: TokenIssuer }): Router {
  const router = createRouter()
  router.openAPIRegistry.register('SiteReport', siteReport)

  router.openapi(report, async (c) => {
    const { id } = c.req.valid('param')
    const context = toJobContext(c, tokens)
    const one = { ...c.req.valid('json'), machine_id: id }
    const handled = await handleReport(context, requireKey(c.var.caller), one, c.req.valid('query').wait ?? 0)
    if (handled.refusal) throw explainRefusal(handled.refusal)
    return c.json(
      { report_again_in_seconds: nextReportSeconds([handled]), ...(await toAnswer(c, context, handled)) },
      200,
    )
  })

  router.openapi(reportSite, async (c) => {
    const caller = requireKey(c.var.caller)
    const context = toJobContext(c, tokens)
    const read = readEach(c, c.req.valid('json').reports)
    const reports = read.flatMap(({ report }) => report ?? [])
    const handled = await handleReports(context, caller, reports, c.req.valid('param').id)
    const results = await Promise.all(
      read.map(async ({ machineId, report, problem }) => {
        const result = report && handled[reports.indexOf(report)]
        if (!result) return { machine_id: machineId, ...nothing, ...(problem && { problem }) }
        const refused = result.refusal && describe(c, explainRefusal(result.refusal))
        return {
          machine_id: machineId,
          ...(refused ? { ...nothing, problem: refused } : await toAnswer(c, context, result)),
        }
      }),
    )
    return c.json({ report_again_in_seconds: nextReportSeconds(handled), results }, 200)
  })

  return router
}

const nothing: { holds: Hold[]; command: null } = { holds: [], command: null }

/** @throws TiebarError `key_required`: a person sets the status by PATCH */
function requireKey(caller: Caller): Caller {
  if (caller.kind === 'key') return caller
  throw new TiebarError('key_required', 'Only a key with the scope report may report for a machine.')
}

type Read = { machineId: number | null; report?: MachineReport; problem?: ProblemBody }

/** A second report of the same machine is refused, because the result would depend on the order of the two. */
function readEach(c: AppContext, reports: unknown[]): Read[] {
  const seen = new Set<number>()
  return reports.map((value, index): Read => {
    const parsed = siteReport.safeParse(value)
    if (!parsed.success) {
      const issues = parsed.error.issues.map((issue) => ({ ...issue, path: ['reports', index, ...issue.path] }))
      const error = explainFaults({ target: 'json', issues, parameters: [], sent: {} })
      return { machineId: readMachineId(value), problem: describe(c, error) }
    }
    const { machine_id: machineId } = parsed.data
    if (!seen.has(machineId)) {
      seen.add(machineId)
      return { machineId, report: parsed.data }
    }
    const errors = [{ pointer: `/reports/${index}/machine_id`, detail: 'has a report in this body already' }]
    const error = new TiebarError('validation_failed', 'The body is not valid: see errors.', { errors })
    return { machineId, problem: describe(c, error) }
  })
}

function readMachineId(value: unknown): number | null {
  const id = typeof value === 'object' && value !== null && 'machine_id' in value ? value.machine_id : null
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : null
}

async function toAnswer(c: AppContext, context: JobContext, { holds, command, fault }: Handled) {
  return {
    holds,
    command: command && (await toFetchedCommand(context, command)),
    ...(fault && { problem: describe(c, fault) }),
  }
}

function describe(c: AppContext, error: TiebarError): ProblemBody {
  return toProblem(error, c.var.requestId, c.var.environment.PUBLIC_URL)
}

// What does not fit, told for each member or parameter: `errors` of the problem `validation_failed`.
import type { core } from 'zod'
import { type InputFault, TiebarError } from '../../kernel/error.ts'

export type CheckedInput = {
  /** The part of the request, as Hono calls it. */
  target: string
  issues: readonly core.$ZodIssue[]
  /** Those that the path takes in its query. */
  parameters: string[]
  /** The values of each parameter of the query, as they were sent. */
  sent: Record<string, string[]>
}

export function explainFaults({ target, issues, parameters, sent }: CheckedInput): TiebarError {
  // An id that cannot be an id names nothing.
  if (target === 'param') return new TiebarError('not_found', 'Nothing has this id.')
  if (target === 'json') return toProblem('body', issues.flatMap(toBodyFaults))
  const unknown = issues.flatMap((issue) => toUnknownParameters(issue, parameters))
  const misfits = issues.flatMap((issue) => toMisfit(issue, sent))
  return toProblem('query', [...unknown, ...misfits])
}

/** A body can have thousands of unknown members; nobody reads on for so long. */
const mostFaults = 100

function toProblem(where: string, errors: InputFault[]): TiebarError {
  const shown = errors.slice(0, mostFaults)
  return new TiebarError('validation_failed', `The ${where} does not fit: see errors.`, { errors: shown })
}

function toBodyFaults(issue: core.$ZodIssue): InputFault[] {
  if (issue.code !== 'unrecognized_keys') return [{ pointer: toPointer(issue.path), detail: issue.message }]
  return issue.keys.map((key) => ({ pointer: toPointer([...issue.path, key]), detail: 'is not a member of this body' }))
}

function toUnknownParameters(issue: core.$ZodIssue, parameters: string[]): InputFault[] {
  if (issue.code !== 'unrecognized_keys') return []
  const taken = parameters.length === 0 ? 'none' : parameters.join(', ')
  return issue.keys.map((parameter) => ({
    parameter,
    detail: `is not a parameter of this path; it takes ${taken}`,
  }))
}

function toMisfit(issue: core.$ZodIssue, sent: CheckedInput['sent']): InputFault[] {
  if (issue.code === 'unrecognized_keys') return []
  const parameter = String(issue.path[0] ?? '')
  const times = sent[parameter]?.length ?? 0
  const detail = times > 1 ? `was given ${times === 2 ? 'twice' : `${times} times`}; give it once` : issue.message
  return [{ parameter, detail }]
}

/** RFC 6901: `~` and `/` in a member's name are escaped. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

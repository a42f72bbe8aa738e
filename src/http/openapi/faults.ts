// Validation errors: one entry in `errors` of the problem `validation_failed` for each invalid member or parameter.
import type { core } from 'zod'
import { type InputFault, TiebarError } from '../../kernel/error.ts'

export type CheckedInput = {
  /** Hono's name of the part of the request. */
  target: string
  issues: readonly core.$ZodIssue[]
  /** The names of the query parameters that the path accepts. */
  parameters: string[]
  /** The values of each query parameter in the request. */
  sent: Record<string, string[]>
}

/** @returns the error to throw: `not_found` for a malformed id in the path, otherwise `validation_failed` */
export function explainFaults({ target, issues, parameters, sent }: CheckedInput): TiebarError {
  // Nothing can have a malformed id, so the answer is 404.
  if (target === 'param') return new TiebarError('not_found', 'Nothing has this id.')
  if (target === 'json') return toProblem('body', issues.flatMap(toBodyFaults))
  const unknown = issues.flatMap((issue) => toUnknownParameters(issue, parameters))
  const invalid = issues.flatMap((issue) => toInvalidParameter(issue, sent))
  return toProblem('query', [...unknown, ...invalid])
}

/** A body can have thousands of unknown members. A longer list would not help the client. */
const maxFaults = 100

function toProblem(where: string, errors: InputFault[]): TiebarError {
  const shown = errors.slice(0, maxFaults)
  return new TiebarError('validation_failed', `The ${where} is not valid: see errors.`, { errors: shown })
}

function toBodyFaults(issue: core.$ZodIssue): InputFault[] {
  if (issue.code !== 'unrecognized_keys') return [{ pointer: toPointer(issue.path), detail: issue.message }]
  return issue.keys.map((key) => ({ pointer: toPointer([...issue.path, key]), detail: 'is not a member of this body' }))
}

function toUnknownParameters(issue: core.$ZodIssue, parameters: string[]): InputFault[] {
  if (issue.code !== 'unrecognized_keys') return []
  const accepted = parameters.length === 0 ? 'none' : parameters.join(', ')
  return issue.keys.map((parameter) => ({
    parameter,
    detail: `is not a parameter of this path; it takes ${accepted}`,
  }))
}

function toInvalidParameter(issue: core.$ZodIssue, sent: CheckedInput['sent']): InputFault[] {
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

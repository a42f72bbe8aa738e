// The text for an answer that is not a success. The API's own text is English, so the console has texts in both languages
// for its codes.
import { TiebarProblem } from '../client/client.ts'
import { text } from './language.ts'
import { type TextKey, texts } from './texts.ts'

const isText = (name: string): name is TextKey => Object.hasOwn(texts, name)

/** Codes whose `detail` has names or numbers that our texts do not have. */
const codesWithDetail: TiebarProblem['code'][] = [
  'wrong_state',
  'quota_exceeded',
  'rate_limited',
  'controller_refused',
  'controller_unreachable',
  'misconfigured',
  'malformed_request',
]

export type Words = { main: string; detail?: string; faults: { what: string; detail: string }[] }

export function describeProblem(error: unknown): Words {
  if (!(error instanceof TiebarProblem)) return { main: text('error_no_answer'), faults: [] }
  const { code, message } = error
  if (code === 'unknown') return { main: text('error_unknown'), faults: [] }
  const name = `problem_${code}`
  // The texts of all other codes say already what is wrong.
  const faults = (code === 'validation_failed' ? error.errors : []).map((fault) => ({
    what: nameField('pointer' in fault ? fault.pointer.slice(1) : fault.parameter),
    detail: fault.detail,
  }))
  // A newer server may have codes that this page does not know.
  if (!isText(name)) return { main: text('error_unknown'), detail: message, faults }
  return { main: text(name), ...(codesWithDetail.includes(code) && { detail: message }), faults }
}

/** A member of a body has the name of its field in the form, whose label has the same name. */
const nameField = (member: string) => (isText(member) ? text(member) : member)

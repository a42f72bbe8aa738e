// Zod's own messages in plain words that fit behind the name of a member: "status must be one of READY, RUNNING".
import { type core, z } from 'zod'

const types: Record<string, string> = {
  string: 'must be a text',
  boolean: 'must be true or false',
  number: 'must be a whole number', // no number of ours has a fraction
  int: 'must be a whole number',
  object: 'must be a JSON object',
}

/** The words for what a schema does not word itself. Undefined leaves it to Zod: a test sees that nothing comes to that. */
function describeIssue(issue: core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      return types[issue.expected]
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      // The only text of ours that is bounded in this way may be of any length but none.
      return issue.origin === 'string' ? 'must not be empty' : `must be ${issue.minimum} or more`
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be ${issue.maximum} or less`
    default:
      return undefined
  }
}

z.config({ customError: describeIssue })

// Replaces Zod's messages with short texts that follow the name of a member: "status must be one of READY, RUNNING".
import { type core, z } from 'zod'

const types: Record<string, string> = {
  string: 'must be a string',
  boolean: 'must be true or false',
  number: 'must be a whole number', // the API has no fractional numbers
  int: 'must be a whole number',
  object: 'must be a JSON object',
}

/** The message of an issue for which the schema has none. A test checks that Zod's own message is never used. */
function describeIssue(issue: core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      return types[issue.expected]
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      // The only string with this check has a minimum length of 1.
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

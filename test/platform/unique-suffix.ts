// A suffix for names on a real server. It is unique, and begins with TEST_RUN, so that a test run can find and delete what it
// left there.
import { randomBytes } from 'node:crypto'

export function uniqueSuffix(): string {
  const suffix = randomBytes(6).toString('hex')
  return process.env.TEST_RUN ? `${process.env.TEST_RUN}_${suffix}` : suffix
}

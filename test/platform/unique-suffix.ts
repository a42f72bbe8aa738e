// What is made on a real server for one world is named so that nobody else's is met, and so that a run of tests (named by
// TEST_RUN) can find whatever was left of its own.
import { randomBytes } from 'node:crypto'

export function uniqueSuffix(): string {
  const mark = randomBytes(6).toString('hex')
  return process.env.TEST_RUN ? `${process.env.TEST_RUN}_${mark}` : mark
}

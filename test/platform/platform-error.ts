// What the person at the keyboard can put right: shown as a sentence, without a stack.

/** Its message says what is wrong and what to do about it. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError'
}

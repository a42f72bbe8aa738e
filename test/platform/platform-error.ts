// An error that the user can correct. It is printed without a stack.

/** The message says what is wrong and what to do. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError'
}

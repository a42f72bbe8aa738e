// Requests of the doctor. Every failure is an Error whose message is for the person who runs the program.

/** @throws Error naming the origin that does not answer */
export async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(10_000) })
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new Error(`${new URL(url).origin} does not answer (${reason}). Is the URL right, and is the service running?`)
  }
}

/** @throws Error when the answer is not JSON */
export async function readJson(response: Response, whose: string): Promise<unknown> {
  const text = await response.text()
  const json = parse(text)
  if (json === undefined) throw new Error(`${whose} answers ${response.status} without JSON. Is the URL right?`)
  return json
}

/** @returns undefined for text that is not JSON */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

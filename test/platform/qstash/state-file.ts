// The file in which the QStash stand-in survives a restart: JSON, bodies in base64, replaced as a whole so that a
// crash leaves the old file or the new one.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { AttemptResult, PendingMessage } from './message.ts'
import type { State } from './store.ts'

// A burst of changes is one write.
const settleMs = 25

export type StateFile = {
  /** Writes the state soon. A failure is told on the console, and again by `close` if it lasts. */
  changed(): void
  /**
   * Writes the state as it is now and waits until it is on the disk.
   * @throws the file system's error.
   */
  close(): Promise<void>
}

/**
 * The state that `path` holds, or undefined where there is no such file.
 * @throws Error naming the file when it is not what `openStateFile` writes.
 */
export async function loadState(path: string): Promise<State | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    return decode(JSON.parse(text))
  } catch (error) {
    throw new Error(`${path} is not a state file of the QStash stand-in: remove it to start over`, { cause: error })
  }
}

/** Writes what `read` answers to `path`, whose folder is made if it is missing. */
export function openStateFile(path: string, read: () => State): StateFile {
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  // One write at a time: a later one must not be overtaken by an earlier one.
  const write = () => {
    timer = undefined
    const written = writing.then(() => replaceFile(path, JSON.stringify(encode(read()))))
    writing = written.catch(() => undefined)
    return written
  }

  return {
    changed() {
      timer ??= setTimeout(() => {
        write().catch((error: unknown) => console.error('qstash stand-in cannot write its state:', error))
      }, settleMs).unref()
    },
    close() {
      clearTimeout(timer)
      return write()
    },
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  await mkdir(dirname(path), { recursive: true })
  // It holds signing keys.
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, path)
}

function encode(state: State) {
  return {
    version: 2,
    keys: state.keys,
    deduplication: state.deduplication,
    messages: state.messages.map(encodeBody),
    deadLetters: state.deadLetters.map((letter) => ({
      ...letter,
      message: encodeBody(letter.message),
      result: encodeBody(letter.result),
    })),
  }
}

function decode(file: ReturnType<typeof encode>): State {
  if (file.version !== 2) throw new Error(`its version is ${file.version}, not 2`)
  return {
    keys: file.keys,
    deduplication: file.deduplication,
    messages: file.messages.map(decodeBody<PendingMessage>),
    deadLetters: file.deadLetters.map((letter) => ({
      ...letter,
      message: decodeBody<PendingMessage>(letter.message),
      result: decodeBody<AttemptResult>(letter.result),
    })),
  }
}

function encodeBody<Value extends { body: Buffer }>(value: Value): Omit<Value, 'body'> & { body: string } {
  return { ...value, body: value.body.toString('base64') }
}

function decodeBody<Value extends { body: Buffer }>(value: Omit<Value, 'body'> & { body: string }): Value {
  // The rest of Value is there, since Value without its body is what came in; the compiler cannot add it up.
  return {
    ...value,
    body: Buffer.from(value.body, 'base64'),
  } as unknown as Value
}

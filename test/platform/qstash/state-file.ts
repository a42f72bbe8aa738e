// The file with the state of the QStash stand-in: JSON, bodies in base64. Each write replaces the whole file, so that after
// a crash it is the old one or the new one.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { AttemptResult, PendingMessage } from './message.ts'
import type { State } from './store.ts'

// Changes within this time are one write.
const settleMs = 25

export type StateFile = {
  /** Writes the state soon. An error is printed on the console; `close` throws it if it persists. */
  changed(): void
  /**
   * Writes the current state and waits until it is on the disk.
   * @throws the error of the file system
   */
  close(): Promise<void>
}

/**
 * The state in the file, or undefined if there is no file.
 * @throws Error with the name of a file that is not a state file
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

/** Writes the result of `read` to `path`, and creates its folder if it is missing. */
export function openStateFile(path: string, read: () => State): StateFile {
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  // One write at a time, so that an earlier one cannot finish after a later one.
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
  // The argument has all other members of Value; the compiler cannot conclude that.
  return {
    ...value,
    body: Buffer.from(value.body, 'base64'),
  } as unknown as Value
}

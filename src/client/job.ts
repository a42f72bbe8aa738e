// A job that was asked for, and what becomes of it.
import type { Job } from './api.ts'
import { pause } from './transport.ts'

export type WatchOptions = {
  /** Between two looks; 1. */
  everySeconds?: number
  /** Ends the watching, and not the job: `AbortSignal.timeout(60_000)`, say. */
  signal?: AbortSignal
}

/** The job as it was accepted, when awaited. A rejection means that it was not. */
export type StartedJob = Promise<Job> & {
  /**
   * Waits until the job has ended.
   * @throws JobFailed unless the machine did what it was told
   */
  done(options?: WatchOptions): Promise<Job>
  /** The job now, and whenever it has changed, until it has ended. */
  watch(options?: WatchOptions): AsyncIterable<Job>
}

/** The job has ended, and not with SUCCEEDED. `job.reason` tells which FAILED are an outcome that nobody knows. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed'
  readonly job: Job

  constructor(job: Job) {
    const why = [job.result, job.reason, job.detail].filter((part) => part !== null).join(', ')
    super(`${job.command} of machine ${job.machine_id} ended ${job.state}${why && `: ${why}`}`)
    this.job = job
  }
}

type ReadJob = (id: string, signal?: AbortSignal) => Promise<Job>

export async function* watch(accepted: Promise<Job>, read: ReadJob, options: WatchOptions = {}): AsyncGenerator<Job> {
  const { everySeconds = 1, signal } = options
  let job = await accepted
  yield job
  while (job.finished_at === null) {
    await pause(everySeconds, signal)
    const next = await read(job.id, signal)
    if (next.version !== job.version) yield next
    job = next
  }
}

export function follow(accepted: Promise<Job>, read: ReadJob): StartedJob {
  return Object.assign(accepted, {
    watch: (options?: WatchOptions) => watch(accepted, read, options),
    async done(options?: WatchOptions) {
      let last = await accepted
      for await (const job of watch(accepted, read, options)) last = job
      if (last.state !== 'SUCCEEDED') throw new JobFailed(last)
      return last
    },
  })
}

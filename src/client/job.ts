// A requested job, and how to wait for its end.
import type { Job } from './api.ts'
import { pause } from './transport.ts'

export type WatchOptions = {
  /** Seconds between two reads of the job; the default is 1. */
  everySeconds?: number
  /** Stops watching; the job continues. For example `AbortSignal.timeout(60_000)`. */
  signal?: AbortSignal
}

/** Resolves to the accepted job. Rejects when the API did not accept it. */
export type StartedJob = Promise<Job> & {
  /**
   * Waits until the job has ended.
   * @throws JobFailed when it has ended in another state than SUCCEEDED
   */
  done(options?: WatchOptions): Promise<Job>
  /** Yields the job now, and again each time it has changed, until it has ended. */
  watch(options?: WatchOptions): AsyncIterable<Job>
}

/** The job has not SUCCEEDED. If its `reason` is `outcome_unknown`, the machine may have executed the command. */
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

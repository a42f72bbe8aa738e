// How a run tells what it does: one line for each step, with its time.

export type Progress = {
  /** Runs the step and tells that it is done, or that it failed. The work may answer a note for the line. */
  step<Result>(title: string, work: () => Promise<Result>, note?: (result: Result) => string): Promise<Result>
  say(text: string): void
}

export const silent: Progress = { step: (_title, work) => work(), say: () => undefined }

const titleWidth = 22

export function writeProgressTo(output: { write(text: string): unknown }): Progress {
  return {
    async step(title, work, note) {
      const startedAt = performance.now()
      const tell = (mark: string, more: string) => {
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2)
        output.write(`${mark} ${title.padEnd(titleWidth)} ${seconds.padStart(6)} s  ${more}\n`)
      }
      try {
        const result = await work()
        tell('✓', note?.(result) ?? '')
        return result
      } catch (error) {
        tell('✗', '')
        throw error
      }
    },
    say: (text) => void output.write(`${text}\n`),
  }
}

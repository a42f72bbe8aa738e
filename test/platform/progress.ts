// The output of a start: one line for each step, with its duration.

export type Progress = {
  /** Runs the step and prints whether it succeeded. `note` adds text to the line. */
  step<Result>(title: string, work: () => Promise<Result>, note?: (result: Result) => string): Promise<Result>
  print(text: string): void
}

export const silent: Progress = { step: (_title, work) => work(), print: () => undefined }

const titleWidth = 22

export function writeProgressTo(output: { write(text: string): unknown }): Progress {
  return {
    async step(title, work, note) {
      const startedAt = performance.now()
      const printLine = (mark: string, more: string) => {
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2)
        output.write(`${mark} ${title.padEnd(titleWidth)} ${seconds.padStart(6)} s  ${more}\n`)
      }
      try {
        const result = await work()
        printLine('✓', note?.(result) ?? '')
        return result
      } catch (error) {
        printLine('✗', '')
        throw error
      }
    },
    print: (text) => void output.write(`${text}\n`),
  }
}

// Runs what a button or a form does: once at a time, and keeps the error of the last try.
import { useState } from 'hono/jsx/dom'

/** `run` does nothing while `isBusy`. It resolves to whether the action has succeeded, and never rejects. */
export function useAction() {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(undefined)
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    if (isBusy) return false
    setBusy(true)
    setError(undefined)
    try {
      await act()
      return true
    } catch (problem) {
      setError(problem)
      return false
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, error, run }
}

// The server's clock, and a tick each second for the ages on the page.
import { createStore } from './state.ts'
import { adjustOffset, type ClockSample, type Instant } from './time.ts'

let offsetMs = 0

export function noteServerTime(sample: ClockSample): void {
  offsetMs = adjustOffset(offsetMs, sample)
}

export function serverNow(): Instant {
  return Date.now() + offsetMs
}

export const tick = createStore<Instant>(serverNow())

export function startClock(): void {
  setInterval(() => tick.set(serverNow()), 1_000)
}

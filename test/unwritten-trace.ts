// A trace that writes no log: for programs whose own output would be lost in it.
import { Trace } from '../src/kernel/trace.ts'

export class UnwrittenTrace extends Trace {
  override log(): void {}
}

// How the parts of the QStash stand-in refuse a request: the error is thrown where the fault is found, and answered in
// one place.
import { notImplemented, type StandInAnswer } from '../http.ts'

/** The body of `answer` is `{"error": "…"}`, the text that the SDKs show. */
export class Refusal extends Error {
  readonly answer: StandInAnswer

  constructor(answer: StandInAnswer) {
    super(JSON.stringify(answer.body))
    this.name = 'Refusal'
    this.answer = answer
  }
}

export function refuse(status: number, error: string): Refusal {
  return new Refusal({ status, body: { error } })
}

/** A 501 that names what the stand-in does not implement. */
export function refuseUnimplemented(what: string): Refusal {
  return new Refusal(notImplemented('qstash', what))
}

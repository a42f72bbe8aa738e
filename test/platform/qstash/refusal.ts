// The error with which the parts of the QStash stand-in refuse a request. routes.ts turns it into the answer.
import { notImplemented, type StandInAnswer } from '../http.ts'

/** The body of `answer` is `{"error": "…"}`, which the SDKs show. */
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

// How the parts of the QStash stand-in turn a request away: thrown wherever it is noticed, answered in one place.
import { notImplemented, type StandInAnswer } from '../http.ts'

/** `answer` is what the caller gets; its body is `{"error": "…"}`, the text that the SDKs show. */
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

/** A 501 that names what is not spoken here. */
export function refuseUnspoken(what: string): Refusal {
  return new Refusal(notImplemented('qstash', what))
}

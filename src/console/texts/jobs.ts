// Texts of jobs: states, and who did what.
import type { Pair } from '../texts.ts'

export const jobTexts = {
  job_START: ['기동', 'START'],
  job_STOP: ['정지', 'STOP'],
  state_QUEUED: ['전송 대기', 'Queued'],
  state_SENT: ['전송함', 'Sent'],
  state_PENDING: ['설비가 처리 중', 'In progress at the machine'],
  state_SUCCEEDED: ['설비가 완료 응답', 'Machine answered: done'],
  state_FAILED: ['실패', 'Failed'],
  state_REJECTED: ['거부됨', 'Rejected'],
  state_EXPIRED: ['시간 초과로 전송 안 함', 'Expired, not executed'],
  state_TIMED_OUT: ['결과 보고 없음', 'No outcome reported'],
  state_CANCELED: ['취소됨', 'Cancelled'],
  state_SUPERSEDED: ['대체됨', 'Superseded'],
  by_queue: ['전송 시스템', 'Queue'],
  by_controller: ['제어기', 'Controller'],
  by_machine: ['설비', 'Machine'],
  by_sweep: ['정기 점검', 'Sweep'],
  attempt: ['{n}번째 시도', 'Attempt {n}'],
} as const satisfies Record<string, Pair>

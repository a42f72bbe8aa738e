// What a role allows. The API decides; the page only leaves out what it would refuse.
import type { MemberRole } from '../client/api.ts'

export const roles = ['viewer', 'operator', 'manager'] as const satisfies MemberRole[]

export const mayOperate = (role: MemberRole | null) => role === 'operator' || role === 'manager'
export const mayManage = (role: MemberRole | null) => role === 'manager'

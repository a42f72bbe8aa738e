// Every error of the API in one table. The codes are its names.
import { accessErrors } from './errors/access.ts'
import { conflictErrors } from './errors/conflict.ts'
import { inputErrors } from './errors/input.ts'
import { serverErrors } from './errors/server.ts'

export const errorKinds = { ...inputErrors, ...accessErrors, ...conflictErrors, ...serverErrors }

export type ErrorCode = keyof typeof errorKinds

export const errorCodes = Object.keys(errorKinds) as [ErrorCode, ...ErrorCode[]] // Object.keys returns string[]

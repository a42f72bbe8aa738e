// CPU time by process: where the time of a request is spent. Linux only, for servers on this computer.
import { readdirSync, readFileSync } from 'node:fs'
import type { BenchPlatform } from './platform.ts'

/** CPU milliseconds. NaN for a server that is on another computer. In-process backends are part of `stand_ins`. */
export type CpuMs = { worker: number; postgres: number; redis: number; stand_ins: number }

/** @param workerMs of the worker */
export async function readCpuMs(platform: BenchPlatform, workerMs: number): Promise<CpuMs> {
  const [backends, redis] = await Promise.all([findBackends(platform), findRedis(platform)])
  return {
    worker: workerMs,
    postgres: sum(backends.map(cpuOfProcess)),
    redis: redis === undefined ? 0 : cpuOfProcess(redis),
    stand_ins: cpuOfThread(process.pid, process.pid), // the clients have a thread of their own
  }
}

/** What was spent between two readings, for each of `count` requests. */
export function spentPerRequest(before: CpuMs, after: CpuMs, count: number): CpuMs {
  const spent = (name: keyof CpuMs) => (after[name] - before[name]) / count
  return { worker: spent('worker'), postgres: spent('postgres'), redis: spent('redis'), stand_ins: spent('stand_ins') }
}

/** The processes of PostgreSQL for this database; none for PGlite. */
async function findBackends({ postgres, servers }: BenchPlatform): Promise<number[]> {
  if (servers.postgres === undefined) return []
  const rows = await postgres.query('SELECT pid FROM pg_stat_activity WHERE datname = current_database()')
  return rows.map(({ pid }) => Number(pid))
}

/** The process that listens on the port of the real Redis. Its stand-in does not implement INFO. */
async function findRedis({ servers }: BenchPlatform): Promise<number | undefined> {
  if (servers.redis === undefined) return undefined
  const port = new URL(servers.redis).port || '6379'
  const isRedis = (pid: string) => /redis-server.*:(\d+)/.exec(readText(`/proc/${pid}/cmdline`))?.[1] === port
  return Number(readdirSync('/proc').find((name) => /^\d+$/.test(name) && isRedis(name)) ?? Number.NaN)
}

export function cpuOfProcess(pid: number): number {
  try {
    return sum(readdirSync(`/proc/${pid}/task`).map((thread) => cpuOfThread(pid, Number(thread))))
  } catch {
    return Number.NaN
  }
}

export function residentKibOf(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? Number.NaN)
}

/** https://docs.kernel.org/scheduler/sched-stats.html: the first number is nanoseconds on a CPU. */
function cpuOfThread(pid: number, thread: number): number {
  return Number(readText(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]) / 1e6
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the process has ended
  }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

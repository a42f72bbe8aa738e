// The CPU time until a new isolate has answered its first request, compared with an empty Worker.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from './statistics.ts'
import { serve } from './workerd.ts'

const rounds = 5

/** CPU milliseconds. @param vars as in production: without them the app is not created */
export async function measureStartup(
  dir: string,
  compatibilityDate: string,
  vars: (origin: string) => Record<string, string>,
): Promise<number> {
  const empty = mkdtempSync(join(tmpdir(), 'tiebar-empty-'))
  process.once('exit', () => rmSync(empty, { recursive: true, force: true }))
  writeFileSync(join(empty, 'worker.js'), `export default { fetch: () => new Response('') }`)
  const start = async (of: string) => {
    const worker = await serve(of, compatibilityDate, vars)
    const cpuMs = worker.cpuMs()
    await worker.close()
    return cpuMs
  }
  const turns = []
  for (let round = 0; round < rounds; round++) turns.push((await start(dir)) - (await start(empty)))
  return median(turns)
}

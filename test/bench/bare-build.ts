// Builds the bare worker in the same way as the Worker.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, parse } from 'node:path'
import { promisify } from 'node:util'

const wrangler = join(import.meta.dirname, '../../node_modules/wrangler/bin/wrangler.js')

/** @returns the folder of worker.js */
export async function buildBare(source: string, compatibilityDate: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'tiebar-bare-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const config = { name: 'worker', main: join(import.meta.dirname, source), compatibility_date: compatibilityDate }
  await writeFile(join(dir, 'wrangler.json'), JSON.stringify({ ...config, minify: true, keep_names: false }))
  const args = ['deploy', '--dry-run', '--outdir', dir, '--config', join(dir, 'wrangler.json')]
  await promisify(execFile)(process.execPath, [wrangler, ...args], {
    cwd: dir,
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
  })
  await rename(join(dir, `${parse(source).name}.js`), join(dir, 'worker.js'))
  return dir
}

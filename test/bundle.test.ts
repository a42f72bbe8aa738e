// The bundle is small, because it is loaded again wherever the Worker has not run for a while.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from '../src/http/openapi/zod.ts'
import { buildWorker } from './build.ts'
import { bundleCeiling, gzipSize } from './bundle.ts'

test('the bundle is smaller than its limit', async () => {
  expect(await gzipSize(await buildWorker())).toBeLessThanOrEqual(bundleCeiling)
})

test('the bundle contains every part of zod that src uses', () => {
  const root = join(import.meta.dirname, '..')
  const files = globSync('src/**/*.ts', { cwd: root }).filter((path) => !path.startsWith('src/tools/'))
  const used = files.flatMap((path) => [
    ...readFileSync(join(root, path), 'utf8').matchAll(
      /(?<![\w.])z\s*\.(?!infer\b|input\b|output\b|core\b|ZodError\b|ZodRawShape\b|ZodString\b)(\w+)/g,
    ),
  ])
  expect(used.length).toBeGreaterThan(50)
  expect([...new Set(used.map(([, name = '']) => name))].filter((name) => !(name in z))).toEqual([])
})

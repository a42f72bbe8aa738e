import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { startQStash } from '../qstash.ts'
import { clientOf, deadLetterOf, eventually, startDestination } from './world.ts'

async function newStateFile() {
  const folder = await mkdtemp(join(tmpdir(), 'qstash-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return join(folder, 'deeper', 'qstash.json')
}

test('undelivered messages, dead letters, deduplication ids and keys survive a restart', async () => {
  const stateFile = await newStateFile()
  const destination = await startDestination()
  destination.answer = () => ({ status: 500, body: Buffer.from([0xff]) })
  const before = await startQStash({ stateFile, currentSigningKey: 'sig_a', nextSigningKey: 'sig_b' })
  const client = clientOf(before)
  const binary = Buffer.from([0, 255, 1])
  const waiting = await client.publish({
    url: `${destination.url}/waiting`,
    body: new Blob([binary]),
    headers: { 'x-a': '1' },
    delay: '1h',
    retries: 4,
    failureCallback: destination.url,
    deduplicationId: 'same',
    label: 'kept',
  })
  const dead = await client.publish({ url: `${destination.url}/dead`, body: 'x', retries: 0 })
  const letter = await deadLetterOf(client, dead.messageId)
  const messages = before.messages()
  await before.close()

  const after = await startQStash({ stateFile })
  onTestFinished(() => after.close())
  const again = clientOf(after)
  expect(after.messages()).toEqual(messages)
  expect(messages).toMatchObject([{ messageId: waiting.messageId, bodyBase64: binary.toString('base64') }])
  expect((await again.dlq.listMessages()).messages).toEqual([letter])
  const duplicate = await again.publish({ url: destination.url, deduplicationId: 'same' })
  expect(duplicate).toEqual({ messageId: waiting.messageId, deduplicated: true })
  expect([after.currentSigningKey, after.nextSigningKey]).toEqual(['sig_a', 'sig_b'])
})

test('a message in flight at the end is sent again, and the aborted attempt does not count', async () => {
  const stateFile = await newStateFile()
  const destination = await startDestination()
  destination.answer = ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({})))
  const before = await startQStash({ stateFile })
  const { messageId } = await clientOf(before).publish({ url: destination.url, body: 'x' })
  await eventually('the attempt', () => destination.received.length === 1)
  await before.close()
  expect(before.deliveries()).toEqual([])

  destination.answer = () => ({ status: 200 })
  const after = await startQStash({ stateFile })
  onTestFinished(() => after.close())
  await eventually('the delivery', () => after.deliveries().length === 1)
  expect(destination.received.map(({ headers }) => headers['upstash-message-id'])).toEqual([messageId, messageId])
  expect(destination.received.map(({ headers }) => headers['upstash-retried'])).toEqual(['0', '0'])
})

test('a retry that was due after the end keeps its count', async () => {
  const stateFile = await newStateFile()
  const destination = await startDestination()
  destination.answer = () => ({ status: 500 })
  const before = await startQStash({ stateFile })
  await clientOf(before).publish({ url: destination.url, retryDelay: '60000' })
  await eventually('the attempt', () => before.deliveries().length === 1)
  await before.close()

  destination.answer = () => ({ status: 200 })
  const after = await startQStash({ stateFile })
  onTestFinished(() => after.close())
  expect(after.messages()).toHaveLength(1)
  after.advance(60_000)
  await eventually('the delivery', () => after.deliveries().length === 1)
  expect(destination.received[1]?.headers['upstash-retried']).toBe('1')
})

test('the file is written while the stand-in runs, completely, and without temporary files', async () => {
  const stateFile = await newStateFile()
  const qstash = await startQStash({ stateFile })
  onTestFinished(() => qstash.close())
  const { messageId } = await clientOf(qstash).publish({ url: 'http://127.0.0.1:1', delay: '1h' })
  const text = await eventually('the file', () => readFile(stateFile, 'utf8').catch(() => undefined))
  expect(JSON.parse(text)).toMatchObject({ version: 2, messages: [{ messageId }] })
  expect(await readdir(join(stateFile, '..'))).toEqual(['qstash.json'])
})

test.each(['{', '{"version":1}', '[]'])('a file with the content %s is refused by its name', async (text) => {
  const stateFile = join(await newStateFile(), '..', '..', 'other.json')
  await writeFile(stateFile, text)
  await expect(startQStash({ stateFile })).rejects.toThrow(stateFile)
})

test('a port in use is an error', async () => {
  const first = await startQStash()
  onTestFinished(() => first.close())
  await expect(startQStash({ port: Number(new URL(first.url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('after close, nothing keeps the process alive', async () => {
  const script = `
    const { startQStash } = await import(${JSON.stringify(new URL('../qstash.ts', import.meta.url).href)})
    const qstash = await startQStash()
    const publish = (url, headers) => fetch(qstash.url + '/v2/publish/' + url, {
      method: 'POST', headers: { ...headers, authorization: 'Bearer ' + qstash.token, connection: 'close' },
    })
    await publish('http://127.0.0.1:1', { 'Upstash-Delay': '1h' })
    await publish('http://127.0.0.1:1', { 'Upstash-Retry-Delay': '3600000' })
    while (qstash.deliveries().length === 0) await new Promise(setImmediate)
    const count = qstash.messages().length
    await qstash.close()
    console.log(count)`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 })
  expect((await run).stdout).toBe('2\n')
})

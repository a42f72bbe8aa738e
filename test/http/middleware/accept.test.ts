// Which media type an Accept header selects.
import { expect, test } from 'vitest'
import { chooseMediaType } from '../../../src/http/middleware/accept.ts'

const json = 'application/json'
const html = 'text/html'

test.each([
  [undefined, json],
  ['', json],
  ['*/*', json],
  ['application/*', json],
  ['*; q=.2', json],
  ['text/html, image/gif, *; q=.2', html],
  ['image/gif, *; q=.2', json],
  ['application/json', json],
  ['APPLICATION/JSON; charset=utf-8', json],
  ['text/html', html],
  ['text/*', html],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', html],
  ['application/json, text/html', json],
  ['application/json;q=0.5, text/html;q=0.6', html],
  ['application/json;q=0, */*', html],
  ['application/json;q=0.000, */*;q=0.001', html],
  ['*/*;q=0', undefined],
  ['application/json;q=0, text/*;q=0', undefined],
  ['application/xml', undefined],
  ['image/*', undefined],
  ['json', undefined],
  [', ,application/json,', json],
  ['application/json;q=nonsense', json],
  ['text/html;level=1;q=0.1, application/json ; q=0.05', html],
])('of JSON and HTML, Accept: %s selects %s', (header, chosen) => {
  expect(chooseMediaType(header, [json, html])).toBe(chosen)
})

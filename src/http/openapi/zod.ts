// The parts of Zod that the Worker uses. wrangler.toml replaces the package with this file. @hono/zod-openapi imports all
// of `z`, with fifty languages and two JSON Schema converters. They would be half of the bundle.
import * as zod from 'zod/v4'

export const z = {
  ZodObject: zod.ZodObject,
  ZodType: zod.ZodType,
  NEVER: zod.NEVER,
  array: zod.array,
  boolean: zod.boolean,
  config: zod.config,
  coerce: { number: zod.coerce.number },
  custom: zod.custom,
  enum: zod.enum,
  int: zod.int,
  literal: zod.literal,
  null: zod.null,
  object: zod.object,
  preprocess: zod.preprocess,
  strictObject: zod.strictObject,
  string: zod.string,
  stringbool: zod.stringbool,
  union: zod.union,
  unknown: zod.unknown,
  url: zod.url,
  uuid: zod.uuid,
}

// Zod as far as the Worker needs it: wrangler.toml puts this file in the place of the package. Whoever takes all of `z`,
// as @hono/zod-openapi does, takes its fifty languages and two JSON Schema converters along: half of the bundle.
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
  email: zod.email,
  enum: zod.enum,
  int: zod.int,
  literal: zod.literal,
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

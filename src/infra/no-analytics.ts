// Takes the place of @upstash/core-analytics in the bundle, see wrangler.toml: @upstash/ratelimit imports it for an option
// that is off here, and it is 2 KiB of the bundle.

export class Analytics {
  constructor() {
    throw new Error(
      'The analytics of @upstash/ratelimit are not part of the bundle: remove the alias in wrangler.toml to use them',
    )
  }
}

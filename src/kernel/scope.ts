// The scopes of an API key: what a program may do with the key.

export const scopes = ['read', 'start', 'stop', 'manage', 'report'] as const
export type Scope = (typeof scopes)[number]

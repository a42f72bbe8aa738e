// Roles of accounts on sites and machines.

/** From the lowest to the highest: each may do what the ones before it may do. */
export const roles = ['viewer', 'operator', 'manager'] as const
export type Role = (typeof roles)[number]

/**
 * How the door asks the API itself, for a page: as the page's own principal, never as anybody else.
 */
import { randomUUID } from 'node:crypto'
import type { Caller, Principal } from '#kit/caller'

export type ApiCall = { service: string; operation: string; input: object; caller: Caller }
export type Dispatch = (call: ApiCall) => Promise<object>

/** Whoever asks for a page does so from this machine. */
export const pageCaller = (principal: Principal, region: string): Caller =>
  ({ principal, region, requestId: randomUUID(), sourceIp: '127.0.0.1', userAgent: 'enclume-console' })

/** Identifiers in AWS's shapes. */
import { randomBytes } from 'node:crypto'

/** A resource id as EC2 makes them: a prefix and seventeen hexadecimal digits. */
export const resourceId = (prefix: string): string => `${prefix}-${randomBytes(9).toString('hex').slice(0, 17)}`

/** Whether a text has the form of an id of this prefix: eight digits (before 2016) or seventeen. */
export const isResourceId = (prefix: string, text: string): boolean =>
  text.startsWith(`${prefix}-`) && /^([0-9a-f]{8}|[0-9a-f]{17})$/.test(text.slice(prefix.length + 1))

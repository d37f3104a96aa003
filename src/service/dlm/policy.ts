/**
 * A lifecycle policy: which volumes it takes snapshots of, when, and how many it keeps.
 *
 * Invariant: each time of a schedule is run once: the record says in the same transaction that it was.
 */
import type { PolicyDetails } from '@aws-sdk/client-dlm'
import { resource } from '#kit/resource'
import type { Row } from '#store/store'

export type Schedule = {
  name: string
  intervalHours: number
  /** When it first runs in a day, UTC, in minutes. */
  at: number
  keep?: number
  keepMs?: number
  copyTags: boolean
  tags: Record<string, string>
}
export type Spec = {
  description: string
  role: string
  enabled: boolean
  of: 'VOLUME' | 'INSTANCE'
  targets: Record<string, string>
  schedules: Schedule[]
  /** As it was given, for whoever asks. */
  details: PolicyDetails
  modified: string
}
/** The newest time of each schedule that was run, ISO 8601. */
export type Status = { done: Record<string, string> }
export type PolicyRow = Row<Spec, Status>

export const policy = resource<Spec, Status, object>({
  kind: 'dlm-policy', prefix: 'policy', label: 'policy', missing: 'ResourceNotFoundException', malformed: 'InvalidRequestException',
  view: () => ({}), filters: {},
})

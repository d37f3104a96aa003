/** A state with its sign. */
import { StatusIndicator, type StatusIndicatorProps } from '@cloudscape-design/components'
import { messages, t, type Key } from '../i18n/text'

const signs: Record<string, StatusIndicatorProps.Type> = {
  pending: 'pending',
  running: 'success',
  stopping: 'in-progress',
  stopped: 'stopped',
  'shutting-down': 'in-progress',
  terminated: 'error',
  available: 'success',
  'in-use': 'success',
  completed: 'success',
  creating: 'in-progress',
  'in-progress': 'in-progress',
  deleting: 'in-progress',
  deleted: 'stopped',
  error: 'error',
  failed: 'error',
  attached: 'success',
  attaching: 'in-progress',
  detaching: 'in-progress',
  detached: 'stopped',
  associated: 'success',
  active: 'success',
  blackhole: 'error',
  'pending-acceptance': 'pending',
  rejected: 'error',
  ok: 'success',
  passed: 'success',
  impaired: 'error',
  initializing: 'in-progress',
  'insufficient-data': 'pending',
  OK: 'success',
  ALARM: 'error',
  INSUFFICIENT_DATA: 'pending',
  ENABLED: 'success',
  DISABLED: 'stopped',
  ERROR: 'error',
  ACTIVE: 'success',
  provisioning: 'in-progress',
  expired: 'stopped',
  'create-complete': 'success',
  'modify-complete': 'success',
  allow: 'success',
  deny: 'error',
  associating: 'in-progress',
  'not-applicable': 'stopped',
}
export const stateText = (state: string): string => (`state.${state}` in messages ? t(`state.${state}` as Key) : state)

/** Fixed words of the API's that are no states, such as `private`. */
export const wordText = (word: string): string => (`word.${word}` in messages ? t(`word.${word}` as Key) : word)

export function State({ state, text = stateText(state) }: { state: string; text?: string }) {
  return <StatusIndicator type={signs[state] ?? 'info'}>{text}</StatusIndicator>
}

/**
 * From which states an instance is started, stopped, rebooted and terminated: EC2 User Guide, "Instance state changes". The actions and the
 * console's buttons both go by it.
 */
export const from = {
  start: ['stopped'],
  stop: ['running'],
  reboot: ['running', 'pending'],
  terminate: ['pending', 'running', 'stopping', 'stopped'],
} as const satisfies Record<string, readonly string[]>

/** Whether a state is one of these. */
export const isIn = (states: readonly string[], state: string): boolean => states.includes(state)

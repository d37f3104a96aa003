/** What an instance's status checks come to: the system's, its own and that of its attached volumes (EC2 User Guide, "Status checks"). */
type Check = { Status?: string }
export type Checks = { state: string; passed: number; all: number }

/** The worst of them, in this order. */
const WORSE = ['impaired', 'insufficient-data', 'initializing']

export function checksOf(status: { SystemStatus?: Check; InstanceStatus?: Check; AttachedEbsStatus?: Check }): Checks | undefined {
  const states = [status.SystemStatus, status.InstanceStatus, status.AttachedEbsStatus]
    .flatMap(check => check?.Status ?? [])
    .filter(state => state !== 'not-applicable')
  if (states.length === 0) return undefined
  return { state: WORSE.find(state => states.includes(state)) ?? 'ok', passed: states.filter(state => state === 'ok').length, all: states.length }
}

/** While a check is still to tell, there is nothing to count. */
export const isCounted = ({ state }: Checks): boolean => state === 'ok' || state === 'impaired'

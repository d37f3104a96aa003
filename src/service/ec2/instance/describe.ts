/** DescribeInstances, DescribeInstanceStatus, console output and the describes that hang on an instance. */
import type * as sdk from '@aws-sdk/client-ec2'
import type { Instance, InstanceStatus, Reservation } from '@aws-sdk/client-ec2'
import type { Actions } from '#kit/action'
import { select } from '#kit/describe'
import { matcher } from '#kit/filter'
import type { Context } from '#service/ec2/context'
import { instance, stateOf, type InstanceRow } from '#service/ec2/instance/instance'
import { burstable, noCredits } from '#service/ec2/instance/launch-options'

/** Instances of one launch answer together (EC2 API Reference, Reservation). */
export function reservations(hits: { row: InstanceRow; view: Instance }[]): Reservation[] {
  const byId = new Map<string, Reservation & { Instances: Instance[] }>()
  for (const { row, view } of hits) {
    const id = row.spec.reservation
    let reservation = byId.get(id)
    if (!reservation) byId.set(id, (reservation = { ReservationId: id, OwnerId: row.account, Groups: [], Instances: [] }))
    reservation.Instances.push(view)
  }
  for (const { Instances } of byId.values()) Instances.sort((a, b) => (a.AmiLaunchIndex ?? 0) - (b.AmiLaunchIndex ?? 0))
  return [...byId.values()]
}

const statusFilters = {
  'availability-zone': 'AvailabilityZone',
  'instance-state-code': 'InstanceState.Code',
  'instance-state-name': 'InstanceState.Name',
  'instance-status.reachability': 'InstanceStatus.Details.Status',
  'instance-status.status': 'InstanceStatus.Status',
  'system-status.reachability': 'SystemStatus.Details.Status',
  'system-status.status': 'SystemStatus.Status',
  'attached-ebs-status.status': 'AttachedEbsStatus.Status',
  'event.code': 'Events.Code',
  'event.description': 'Events.Description',
  'event.instance-event-id': 'Events.InstanceEventId',
  'operator.managed': () => ['false'],
}

type Check = 'ok' | 'initializing' | 'impaired' | 'not-applicable'

const summary = (status: Check) => ({
  Status: status,
  Details: status === 'not-applicable' ? [] : [{
    Name: 'reachability' as const, Status: status === 'ok' ? ('passed' as const) : status === 'impaired' ? ('failed' as const) : status,
  }],
})

/** The system's check is the host's side, which stands while the machine runs; the instance's own is its answer on the network. */
function statusView(row: InstanceRow): InstanceStatus {
  const { state, reachableSince, impairedSince } = row.status
  const check: Check = state !== 'running' ? 'not-applicable' : impairedSince ? 'impaired' : reachableSince ? 'ok' : 'initializing'
  return {
    InstanceId: row.id, AvailabilityZone: row.spec.zone, InstanceState: stateOf(state), Events: [],
    SystemStatus: summary(check === 'impaired' ? 'ok' : check), InstanceStatus: summary(check),
    AttachedEbsStatus: summary(state === 'running' ? 'ok' : 'not-applicable'), Operator: { Managed: false },
  }
}

export const describes = (context: Context): Actions<typeof sdk> => ({
  async DescribeInstances(call) {
    const { hits, next } = await select(call, instance, { ids: call.input.InstanceIds })
    return { Reservations: reservations(hits), NextToken: next }
  },

  async DescribeInstanceStatus(call) {
    const { Filters, IncludeAllInstances, ...input } = call.input
    const { hits, next } = await select({ ...call, input }, instance, { ids: input.InstanceIds })
    const wanted = matcher<InstanceStatus, InstanceRow>(statusFilters, Filters)
    const views = hits.map(({ row }) => ({ row, view: statusView(row) }))
      .filter(({ row, view }) => (IncludeAllInstances || row.status.state === 'running') && wanted(view, row))
    return { InstanceStatuses: views.map(v => v.view), NextToken: next }
  },

  DescribeInstanceCreditSpecifications: async call => {
    const { InstanceIds, ...input } = call.input
    const { hits, next } = await select({ ...call, input }, instance, { ids: InstanceIds })
    const named = InstanceIds !== undefined && InstanceIds.length > 0
    const other = named && hits.find(({ row }) => !burstable(row.spec.type))
    if (other) throw noCredits(other.row)
    // Without ids AWS lists only those that were set to unlimited.
    const shown = hits.filter(({ row }) => burstable(row.spec.type) && (named || row.spec.credits === 'unlimited'))
    return { InstanceCreditSpecifications: shown.map(({ row }) => ({ InstanceId: row.id, CpuCredits: row.spec.credits })), NextToken: next }
  },

  GetConsoleOutput: {
    async look({ input, account, region, reader, now }) {
      const row = await instance.get(reader, { account, region }, input.InstanceId!)
      const running = row.status.created && row.status.state !== 'terminated'
      const output = running ? await context.engine.machines.console(row.id) : new Uint8Array()
      return { InstanceId: row.id, Timestamp: now, Output: Buffer.from(output).toString('base64') }
    },
  },
})

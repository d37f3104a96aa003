/**
 * Records of a flow log as AWS writes them (VPC User Guide, "Flow log records"). Pure.
 *
 * Invariant: a field that no record here could tell truly is not accepted in a format.
 */
import type { FlowCount } from '#engine/port'
import { ApiError } from '#kit/error'
import { unsupported } from '#service/ec2/errors'
import type { InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { zoneId } from '#service/ec2/region/region'

export type Window = { start: Date; end: Date }
type About = { row: InterfaceRow; window: Window; status: 'OK' | 'NODATA' | 'SKIPDATA'; flow?: FlowCount; version: number }

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000)
const ofFlow = (read: (flow: FlowCount) => string | number) => ({ flow }: About) => (flow ? read(flow) : '-')

const isIpv6 = (flow: FlowCount): boolean => flow.source.includes(':')

/**
 * The interface's end of a flow is told as its primary private address, whichever of its addresses, or of those behind it, was meant
 * (VPC User Guide, "Flow log limitations").
 */
const own = (direction: FlowCount['direction'], flow: FlowCount, { spec }: InterfaceRow): string | undefined =>
  (flow.direction === direction && !isIpv6(flow) ? spec.addresses[0]!.private : undefined)

/** The version in which AWS added a field, and where it is read. */
const fields: Record<string, [version: number, read: (about: About) => string | number | undefined]> = {
  'version': [2, about => about.version],
  'account-id': [2, ({ row }) => row.account],
  'interface-id': [2, ({ row }) => row.id],
  'srcaddr': [2, about => (about.flow ? own('out', about.flow, about.row) ?? about.flow.source : '-')],
  'dstaddr': [2, about => (about.flow ? own('in', about.flow, about.row) ?? about.flow.destination : '-')],
  'srcport': [2, ofFlow(flow => flow.sourcePort)],
  'dstport': [2, ofFlow(flow => flow.destinationPort)],
  'protocol': [2, ofFlow(flow => flow.protocol)],
  'packets': [2, ofFlow(flow => flow.packets)],
  'bytes': [2, ofFlow(flow => flow.bytes)],
  'start': [2, ({ window }) => seconds(window.start)],
  'end': [2, ({ window }) => seconds(window.end)],
  'action': [2, ofFlow(flow => (flow.accepted ? 'ACCEPT' : 'REJECT'))],
  'log-status': [2, about => about.status],
  'vpc-id': [3, ({ row }) => row.spec.vpc],
  'subnet-id': [3, ({ row }) => row.spec.subnet],
  'instance-id': [3, ({ row }) => row.spec.attachment?.instance],
  'type': [3, ofFlow(flow => (isIpv6(flow) ? 'IPv6' : 'IPv4'))],
  'pkt-srcaddr': [3, ofFlow(flow => flow.source)],
  'pkt-dstaddr': [3, ofFlow(flow => flow.destination)],
  'region': [4, ({ row }) => row.region],
  'az-id': [4, ({ row }) => zoneId(row.spec.zone)],
  'sublocation-type': [4, () => '-'],
  'sublocation-id': [4, () => '-'],
  'flow-direction': [5, ofFlow(flow => (flow.direction === 'in' ? 'ingress' : 'egress'))],
}
/** Of AWS's fields those that nothing here counts. */
const beyond = new Set([
  'tcp-flags', 'pkt-src-aws-service', 'pkt-dst-aws-service', 'traffic-path', 'ecs-cluster-arn', 'ecs-cluster-name',
  'ecs-container-instance-arn', 'ecs-container-instance-id', 'ecs-container-id', 'ecs-second-container-id', 'ecs-service-name',
  'ecs-task-definition-arn', 'ecs-task-arn', 'ecs-task-id', 'reject-reason', 'resource-id', 'encryption-status', 'interface-type',
])

/** The fields of a format; throws where it is none. */
export function fieldsOf(format: string): string[] {
  const words = format.trim().split(/\s+/).map(word => /^\$\{([a-z0-9-]+)\}$/.exec(word)?.[1] ?? '')
  if (format.length > 1000 || words.some(word => !(word in fields) && !beyond.has(word))) {
    throw new ApiError('InvalidParameter', 'LogFormat is invalid: unknown fields provided.')
  }
  const refused = words.find(word => beyond.has(word))
  if (refused !== undefined) throw unsupported(`the field ${refused} of flow logs`)
  return words
}

/** The lines of one interface for one window: its flows, or that there were none, and whether some were left out. */
export function linesOf(names: string[], { row, window, flows, isPartial }: {
  row: InterfaceRow; window: Window; flows: FlowCount[]; isPartial: boolean
}): string[] {
  const version = Math.max(...names.map(name => fields[name]![0]))
  const line = (status: About['status'], flow?: FlowCount) =>
    names.map(name => fields[name]![1]({ row, window, status, version, ...(flow && { flow }) }) ?? '-').join(' ')
  return [
    ...flows.map(flow => line('OK', flow)),
    ...flows.length === 0 && !isPartial ? [line('NODATA')] : [],
    ...isPartial ? [line('SKIPDATA')] : [],
  ]
}

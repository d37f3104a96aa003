/**
 * A flow log: what it is. Its records go to a bucket, by S3's front door.
 *
 * Invariant: whatever interface a flow log is about has its flows counted from when the log's VPC is applied (vpc/compile.ts: `watched`).
 */
import { resource, tagList } from '#kit/resource'
import type { InterfaceRow } from '#service/ec2/network-interface/network-interface'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Spec = {
  vpc: string
  /** A VPC, a subnet or a network interface. */
  resource: string
  traffic: 'ACCEPT' | 'REJECT' | 'ALL'
  /** As AWS writes it: `${srcaddr} ${dstaddr}`. */
  format: string
  destination: { arn: string; bucket: string; prefix: string }
  /** As asked. Records are of a minute at most, as they are of AWS's own newer instance types whatever is asked. */
  intervalSeconds: 60 | 600
  options: { hive: boolean; hourly: boolean }
}
export type Status = { delivery?: 'SUCCESS' | 'FAILED'; message?: string }
export type FlowLogRow = Row<Spec, Status>

/** VPC User Guide, "Flow log records": the default format. */
export const DEFAULT_FORMAT = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
  .split(' ').map(field => `\${${field}}`).join(' ')

export const flowLog = resource<Spec, Status, sdk.FlowLog>({
  kind: 'vpc-flow-log', prefix: 'fl', label: 'flow log ID', missing: 'InvalidFlowLogId.NotFound', malformed: 'InvalidFlowLogId.Malformed',
  view: ({ id, created, spec, status, tags }) => ({
    FlowLogId: id,
    CreationTime: new Date(created),
    FlowLogStatus: 'ACTIVE',
    ResourceId: spec.resource,
    TrafficType: spec.traffic,
    LogFormat: spec.format,
    LogDestinationType: 's3',
    LogDestination: spec.destination.arn,
    DeliverLogsStatus: status.delivery,
    DeliverLogsErrorMessage: status.message,
    MaxAggregationInterval: spec.intervalSeconds,
    DestinationOptions: { FileFormat: 'plain-text', HiveCompatiblePartitions: spec.options.hive, PerHourPartition: spec.options.hourly },
    Tags: tagList(tags),
  }),
  filters: {
    'deliver-log-status': 'DeliverLogsStatus',
    'flow-log-id': 'FlowLogId',
    'log-destination-type': 'LogDestinationType',
    'log-group-name': 'LogGroupName',
    'resource-id': 'ResourceId',
    'traffic-type': 'TrafficType',
  },
})

/** Whether a flow log is about an interface. */
export const isAbout = ({ spec: { resource: of } }: FlowLogRow, { id, spec }: Pick<InterfaceRow, 'id' | 'spec'>): boolean =>
  [id, spec.subnet, spec.vpc].includes(of)

/** What may be asked of flow logs. Errors of one resource among several are told in `Unsuccessful`, as AWS does. */
import type { Actions, Call } from '#kit/action'
import { select } from '#kit/describe'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { DEFAULT_FORMAT, flowLog, type Spec } from '#service/ec2/flow-log/flow-log'
import { fieldsOf } from '#service/ec2/flow-log/records'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { subnet } from '#service/ec2/subnet/subnet'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

type Create = Call<sdk.CreateFlowLogsRequest>
const invalid = (message: string) => new ApiError('InvalidParameter', message)

/** A bucket, and a folder in it (API Reference, CreateFlowLogs, LogDestination). */
function destinationOf(arn: string | undefined): Spec['destination'] {
  if (arn === undefined) throw missingParameter('LogDestination')
  const [, bucket, path = ''] = /^arn:aws[a-z-]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[^/]+)*\/?)$/.exec(arn) ?? []
  if (bucket === undefined) throw invalid(`LogDestination: ${arn} is not the ARN of a bucket.`)
  const prefix = path.replace(/^\/|\/$/g, '')
  if (prefix.split('/').includes('AWSLogs')) throw invalid('LogDestination: AWSLogs is a reserved term and cannot be a subfolder.')
  return { arn, bucket, prefix }
}

/** What all logs of a request have in common. */
function common({ input }: Create, delivers: boolean): Omit<Spec, 'vpc' | 'resource'> {
  const { LogDestinationType: type = 'cloud-watch-logs', TrafficType: traffic, DestinationOptions: o = {} } = input
  const { MaxAggregationInterval: interval = 600 } = input
  if (type !== 's3' && type !== 'cloud-watch-logs' && type !== 'kinesis-data-firehose') throw invalidValue('LogDestinationType', type)
  if (type !== 's3' || !delivers) throw unsupported(`flow logs with the destination ${type}`)
  if (input.LogGroupName !== undefined) throw invalid('LogGroupName is not applicable to the destination type s3.')
  if (input.DeliverLogsPermissionArn !== undefined) throw invalid('DeliverLogsPermissionArn is not applicable to the destination type s3.')
  refuseMembers('CreateFlowLogs', input, ['DeliverCrossAccountRole', 'TagFieldSpecifications'])
  if (traffic === undefined) throw missingParameter('TrafficType')
  if (traffic !== 'ACCEPT' && traffic !== 'REJECT' && traffic !== 'ALL') throw invalidValue('TrafficType', traffic)
  if (interval !== 60 && interval !== 600) throw invalidValue('MaxAggregationInterval', interval, 'It must be 60 or 600.')
  if (o.FileFormat !== undefined && o.FileFormat !== 'plain-text') throw unsupported(`the file format ${o.FileFormat} of flow logs`)
  const format = input.LogFormat ?? DEFAULT_FORMAT
  fieldsOf(format)
  return {
    traffic, format, destination: destinationOf(input.LogDestination), intervalSeconds: interval,
    options: { hive: o.HiveCompatiblePartitions ?? false, hourly: o.PerHourPartition ?? false },
  }
}

/** The VPC of a resource that a log is to be about. */
async function vpcOf(call: Create, id: string): Promise<string> {
  switch (call.input.ResourceType) {
    case 'VPC': return (await vpc.get(call.tx, call, id)).id
    case 'Subnet': return (await subnet.get(call.tx, call, id)).spec.vpc
    case 'NetworkInterface': return (await networkInterface.get(call.tx, call, id)).spec.vpc
    case 'TransitGateway': case 'TransitGatewayAttachment': case 'RegionalNatGateway': throw unsupported(`flow logs of a ${call.input.ResourceType}`)
    default: throw invalidValue('ResourceType', call.input.ResourceType)
  }
}

const failure = (ResourceId: string, { code: Code, message: Message }: ApiError): sdk.UnsuccessfulItem => ({ ResourceId, Error: { Code, Message } })

async function create(call: Create, of: string, spec: Omit<Spec, 'vpc' | 'resource'>): Promise<string> {
  const { tx, account, region, now } = call
  const network = await vpcOf(call, of)
  const own = (await flowLog.list(tx, call)).filter(row => row.spec.resource === of)
  const same = ({ traffic, format, destination }: Omit<Spec, 'vpc' | 'resource'>) => [traffic, format, destination.arn].join('\n')
  if (own.some(row => same(row.spec) === same(spec))) {
    throw new ApiError('FlowLogAlreadyExists', 'There is an existing Flow Log with the same configuration and log destination.')
  }
  checkLimit('flowLogs', own.length)
  const row = await tx.put(flowLog.make({
    account, region, now, tags: call.tags('vpc-flow-log'), spec: { ...spec, vpc: network, resource: of }, status: {},
  }), 'created')
  return row.id
}

export const actions = ({ deliver }: Pick<Context, 'deliver'>): Actions<typeof sdk> => ({
  async CreateFlowLogs(call) {
    const { ResourceIds: ids = [], ResourceType: type } = call.input
    if (ids.length === 0) throw missingParameter('ResourceId')
    const spec = common(call, deliver !== undefined)
    const made: string[] = []
    const failed: sdk.UnsuccessfulItem[] = []
    for (const id of ids) {
      try {
        made.push(await create(call, id, spec))
      } catch (error) {
        // Alone, or of a kind that there are no logs of, it is the request's error.
        if (!(error instanceof ApiError) || ids.length === 1 || error.code === 'UnsupportedOperation') throw error
        failed.push(failure(id, error))
      }
    }
    if (type === undefined) throw missingParameter('ResourceType')
    return { ClientToken: call.input.ClientToken, FlowLogIds: made, Unsuccessful: failed }
  },

  /** Its filters are called `Filter` (API Reference, DescribeFlowLogs). */
  async DescribeFlowLogs(call) {
    const { Filter: Filters, ...input } = call.input
    const { hits, next } = await select({ ...call, input: { ...input, Filters } }, flowLog, {
      ids: input.FlowLogIds, page: { least: 1, most: 1000 },
    })
    return { FlowLogs: hits.map(hit => hit.view), NextToken: next }
  },

  async DeleteFlowLogs({ input, account, region, tx }) {
    const rows = await flowLog.getAll(tx, { account, region }, input.FlowLogIds ?? [])
    for (const row of rows) await tx.remove(row, 'deleted')
    return { Unsuccessful: [] }
  },
})

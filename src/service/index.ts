/** The services there are, and what each brings: operations, actions, and loops of its own. */
import { errorsOf, operationsOf } from '#kit/schema'
import type { Service } from '#service/service'
import type { Context, Measured } from '#service/ec2/context'
import type { Dispatch } from '#kit/action'
import { cloudtrail } from '#service/cloudtrail/index'
import type { History } from '#service/cloudtrail/history'
import { imageId } from '#service/ec2/image/prepare'
import { dlm, policyDriver, sdk as dlmSdk } from '#service/dlm/dlm'
import { ebs, sdk as ebsSdk } from '#service/ebs/ebs'
import { ec2 } from '#service/ec2/index'
import { automation } from '#service/ec2/instance/automation'
import { lifecycleOf } from '#service/ec2/snapshot/lifecycle'
import { snapshotsFor } from '#service/ec2/snapshot/direct'
import { ec2InstanceConnect, sdk as connectSdk } from '#service/ec2-instance-connect/ec2-instance-connect'
import { regionFacts } from '#service/ec2/region/data/regions'
import { publicDomain } from '#service/ec2/network-interface/names'
import { hostsOf } from '#service/hosts'
import { iam } from '#service/iam/index'
import { monitoring } from '#service/monitoring/index'
import type { Series } from '#service/monitoring/series'
import { s3 } from '#service/s3/index'
import { ssm } from '#service/ssm/index'
import { lookup } from '#service/ssm/read'
import { sts } from '#service/sts/sts'
import { tagging } from '#service/tagging/index'
import type { WireService } from '#wire/protocol'
import { addressOf } from '#wire/restxml'

/** Facts of each service's wire (design: the SDK's schemas do not hold them). */
export const wires = {
  ec2: { signingName: 'ec2', version: '2016-11-15', xmlns: 'http://ec2.amazonaws.com/doc/2016-11-15/', protocol: 'ec2Query' },
  'ec2-instance-connect': { signingName: 'ec2-instance-connect', version: '2018-04-02', xmlns: '', protocol: 'awsJson' },
  dlm: { signingName: 'dlm', version: '2018-01-12', xmlns: '', protocol: 'restJson' },
  ebs: { signingName: 'ebs', version: '2019-11-02', xmlns: '', protocol: 'restJson' },
  sts: { signingName: 'sts', version: '2011-06-15', xmlns: 'https://sts.amazonaws.com/doc/2011-06-15/', protocol: 'awsQuery' },
  iam: { signingName: 'iam', version: '2010-05-08', xmlns: 'https://iam.amazonaws.com/doc/2010-05-08/', protocol: 'awsQuery' },
  s3: { signingName: 's3', version: '2006-03-01', xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/', protocol: 'restXml', unsignedPayload: true },
  ssm: { signingName: 'ssm', version: '2014-11-06', xmlns: '', protocol: 'awsJson' },
  tagging: { signingName: 'tagging', version: '2017-01-26', xmlns: '', protocol: 'awsJson' },
  monitoring: {
    signingName: 'monitoring', version: '2010-08-01', xmlns: 'http://monitoring.amazonaws.com/doc/2010-08-01/', protocol: 'awsQuery', json: true,
  },
  cloudtrail: { signingName: 'cloudtrail', version: '2013-11-01', xmlns: '', protocol: 'awsJson' },
} as const

type Given = Omit<Context, 'parameter'>

/** Values of AWS's own metrics as the service that keeps them takes them. */
export const measuring = (series: Series) => (values: readonly Measured[]): void =>
  series.put(values.map(({ account, region, namespace, metric, dimension, unit, value, time }) => ({
    metric: { account, region, namespace, name: metric, dimensions: [dimension] },
    point: { time, unit, count: 1, sum: value, least: value, most: value },
  })))
const partsOf = ({ identity, images }: Given) =>
  ({ sealer: identity.sealer, images: (region: string) => images().map(seen => ({ id: imageId(region, seen), seen })) })

/** A context with what one service is told of another's records. */
export const withParameters = (given: Given): Context => ({ ...given, parameter: lookup(partsOf(given)) })

export const services = (context: Context, series: Series): Service[] =>
  [
    ec2(context), sts(context), iam(context), s3(context), ssm(partsOf(context)),
    { definition: ec2InstanceConnect(), sdk: connectSdk, drivers: [] },
    { definition: ebs({ ...context, snapshots: snapshotsFor(context) }), sdk: ebsSdk, drivers: [] },
    monitoring({ store: context.store, clock: context.clock, series: () => series, automate: automation(context) }),
    { definition: dlm(), sdk: dlmSdk, drivers: [policyDriver({ clock: context.clock, lifecycle: lifecycleOf })] },
  ]

/** Those that look over the others: tags of all, and the history of every call. */
export const overseers = (parts: { sources: () => Service[]; dispatch: () => Dispatch; history: () => History }): Service[] =>
  [tagging(parts), cloudtrail(parts.history)]

/** Who asks unsigned. Of no account: only a bucket's own policy can let it in, or at STS an identity provider's token. */
const anonymous = { principal: { account: '', arn: 'anonymous', userId: 'anonymous' }, region: 'us-east-1' }

export const wireServices = (all: Service[]): WireService[] => all.map(({ definition: { id }, sdk, front }) => ({
  id, ...wires[id as keyof typeof wires], operations: operationsOf(sdk), errors: errorsOf(sdk), front: front?.(head => addressOf(head).bucket),
  ...(id === 's3' && { anonymous }), ...(id === 'sts' && { anonymous: { ...anonymous, operations: ['AssumeRoleWithWebIdentity'] } }),
}))

/** The names by which instances reach what is served here; `own`: the home's Region, should it be none of AWS's. */
export function servedHosts(all: Service[], own: string): { host: string[]; store: string[]; addresses: string[] } {
  const regions = [...new Set([...regionFacts.keys(), own])]
  const ids = all.map(({ definition }) => definition.id)
  return {
    host: hostsOf(ids.filter(id => id !== STORE), regions), store: hostsOf(ids.filter(id => id === STORE), regions),
    addresses: regions.map(publicDomain),
  }
}

/** The service that has an address of its own, which gateway endpoints lead to. */
export const STORE = 's3'

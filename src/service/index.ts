/** The services there are, and what each brings: operations, actions, and loops of its own. */
import { errorsOf, operationsOf } from '#kit/schema'
import type { Service } from '#service/service'
import type { Context } from '#service/ec2/context'
import { ec2 } from '#service/ec2/index'
import { ec2InstanceConnect, sdk as connectSdk } from '#service/ec2-instance-connect/ec2-instance-connect'
import { sdk as stsSdk, sts } from '#service/sts/sts'

/** Facts of each service's wire (design: the SDK's schemas do not hold them). */
export const wires = {
  ec2: { signingName: 'ec2', version: '2016-11-15', xmlns: 'http://ec2.amazonaws.com/doc/2016-11-15/', protocol: 'ec2Query' },
  'ec2-instance-connect': { signingName: 'ec2-instance-connect', version: '2018-04-02', xmlns: '', protocol: 'awsJson' },
  sts: { signingName: 'sts', version: '2011-06-15', xmlns: 'https://sts.amazonaws.com/doc/2011-06-15/', protocol: 'awsQuery' },
} as const

export const services = (context: Context): Service[] => [
  ec2(context), { definition: sts(), sdk: stsSdk, drivers: [] }, { definition: ec2InstanceConnect(), sdk: connectSdk, drivers: [] },
]

export const wireServices = (all: Service[]) => all.map(({ definition: { id }, sdk }) =>
  ({ id, ...wires[id as keyof typeof wires], operations: operationsOf(sdk), errors: errorsOf(sdk) }))

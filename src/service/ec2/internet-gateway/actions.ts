/** What may be asked of internet gateways. */
import type { Actions, Place } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { hasDependencies } from '#service/ec2/errors'
import { GATEWAY_OF, internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { ROUTE_TABLE_ASSOCIATION } from '#service/ec2/route-table/route-table'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc } from '#service/ec2/vpc/vpc'
import type { Reader } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

/** Whether anything in a VPC has a public address. */
async function hasPublicAddress(reader: Reader, place: Place, id: string): Promise<boolean> {
  const rows = await networkInterface.list(reader, place)
  return rows.some(({ spec }) => spec.vpc === id && spec.addresses.some(address => address.public))
}

export const actions: Actions<typeof sdk> = {
  DescribeInternetGateways: describe(internetGateway, 'InternetGatewayIds', 'InternetGateways'),

  async CreateInternetGateway({ account, region, tx, now, tags }) {
    const place = { account, region }
    checkLimit('internetGateways', (await internetGateway.list(tx, place)).length)
    const row = await tx.put(internetGateway.make({ ...place, now, tags: tags('internet-gateway'), spec: {}, status: {} }), 'created')
    return { InternetGateway: internetGateway.view(row, undefined) }
  },

  /** Messages: berlioz#1, terraform-aws-vault-ha-raft#54. */
  async AttachInternetGateway({ input, account, region, tx }) {
    const row = await internetGateway.get(tx, { account, region }, input.InternetGatewayId!)
    const network = await vpc.get(tx, { account, region }, input.VpcId!)
    if (row.spec.vpc !== undefined) {
      throw new ApiError('Resource.AlreadyAssociated', `resource ${row.id} is already attached to network ${row.spec.vpc}`)
    }
    if (!await tx.claim(GATEWAY_OF, network.id, row.id)) {
      throw new ApiError('InvalidParameterValue', `Network ${network.id} already has an internet gateway attached`)
    }
    await internetGateway.update(tx, row, { spec: { vpc: network.id } }, 'attached')
    return {}
  },

  /** Message of the violation: hashicorp/terraform#497. */
  async DetachInternetGateway({ input, account, region, tx }) {
    const row = await internetGateway.get(tx, { account, region }, input.InternetGatewayId!)
    const network = await vpc.get(tx, { account, region }, input.VpcId!)
    if (row.spec.vpc !== network.id) throw new ApiError('Gateway.NotAttached', `resource ${row.id} is not attached to network ${network.id}`)
    if (await hasPublicAddress(tx, row, network.id)) {
      throw new ApiError('DependencyViolation',
        `Network ${network.id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`)
    }
    await tx.release(GATEWAY_OF, network.id)
    // A table is its gateway's as long as both are in one VPC.
    if (row.spec.routeTable) await tx.release(ROUTE_TABLE_ASSOCIATION, row.spec.routeTable.association)
    await internetGateway.update(tx, row, { spec: { vpc: undefined, routeTable: undefined } }, 'detached')
    return {}
  },

  async DeleteInternetGateway({ input, account, region, tx }) {
    const row = await internetGateway.get(tx, { account, region }, input.InternetGatewayId!)
    if (row.spec.vpc !== undefined) throw hasDependencies('internetGateway', row.id)
    await tx.remove(row, 'deleted')
    return {}
  },
}

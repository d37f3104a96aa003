/** What may be asked of route tables and of their associations; routes have a file of their own (routes.ts). */
import type { Actions, Place } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { hasDependencies, invalidCombination, missingParameter, refuseMembers } from '#service/ec2/errors'
import { internetGateway, type InternetGatewayRow } from '#service/ec2/internet-gateway/internet-gateway'
import { createRouteTable } from '#service/ec2/route-table/make'
import { ROUTE_TABLE_ASSOCIATION as SCOPE, routeTable, type RouteTableRow } from '#service/ec2/route-table/route-table'
import { routeActions } from '#service/ec2/route-table/routes'
import { checkEdge, insideOf, isEdge } from '#service/ec2/route-table/rules'
import { elsewhere, getGateway } from '#service/ec2/route-table/targets'
import { subnet, type SubnetRow } from '#service/ec2/subnet/subnet'
import { checkLimit } from '#service/ec2/vpc/limits'
import { claimId } from '#service/ec2/vpc/numbers'
import { vpcEndpoint } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader, Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

const associated = { State: 'associated' } as const

/** Who has an association: a subnet, an internet gateway, or the VPC whose main table it names. */
async function ownerOf(
  reader: Reader, place: Place, id: string,
): Promise<{ subnet: SubnetRow } | { gateway: InternetGatewayRow } | { vpc: VpcRow }> {
  const holder = await reader.holder(SCOPE, id)
  const gateway = (await internetGateway.list(reader, place)).find(row => row.id === holder)
  if (gateway) return { gateway }
  const own = (await subnet.list(reader, place)).find(row => row.id === holder)
  if (own) return { subnet: own }
  const network = (await vpc.list(reader, place)).find(row => row.id === holder)
  if (network) return { vpc: network }
  throw new ApiError('InvalidAssociationID.NotFound', `The association ID '${id}' does not exist`)
}

function checkNetwork(table: RouteTableRow, of: { id: string; vpc: string }): void {
  if (table.spec.vpc === of.vpc) return
  throw new ApiError('InvalidParameterValue', `Route table ${table.id} and subnet ${of.id} belong to different networks`)
}

/** Gives a subnet a table of its own in place of the one that it had; the answer is the association's id. */
async function associate(tx: Tx, row: SubnetRow, table: RouteTableRow): Promise<string> {
  checkNetwork(table, { id: row.id, vpc: row.spec.vpc })
  if (row.spec.routeTable) await tx.release(SCOPE, row.spec.routeTable.association)
  const association = await claimId(tx, { scope: SCOPE, prefix: 'rtbassoc', owner: row.id })
  await subnet.update(tx, row, { spec: { routeTable: { id: table.id, association } } }, 'route-table-associated')
  return association
}

/** The same for what comes in through an internet gateway, whose table is no VPC's main one (VPC User Guide, "Main route table"). */
async function associateEdge(tx: Tx, row: InternetGatewayRow, table: RouteTableRow): Promise<string> {
  if (row.spec.vpc !== table.spec.vpc) throw elsewhere(table, 'network gateway', row.id)
  if ((await vpc.find(tx, table.spec.vpc))!.spec.mainRouteTable.id === table.id) throw mainOfNone(table)
  checkEdge(await insideOf(tx, table), table, table.spec.routes)
  if (row.spec.routeTable) await tx.release(SCOPE, row.spec.routeTable.association)
  const association = await claimId(tx, { scope: SCOPE, prefix: 'rtbassoc', owner: row.id })
  await internetGateway.update(tx, row, { spec: { routeTable: { id: table.id, association } } }, 'route-table-associated')
  return association
}
const mainOfNone = ({ id }: RouteTableRow): ApiError =>
  new ApiError('InvalidParameterValue', `Route table ${id} cannot be the main route table and that of a gateway.`)

/** Message: terraform-provider-aws#38960. */
const conflicting = ({ id }: RouteTableRow): ApiError =>
  new ApiError('Resource.AlreadyAssociated', `the specified association for route table ${id} conflicts with an existing association`)

export const actions: Actions<typeof sdk> = {
  DescribeRouteTables: describe(routeTable, 'RouteTableIds', 'RouteTables'),
  ...routeActions,

  async CreateRouteTable({ input, account, region, tx, now, tags }) {
    const place = { account, region }
    const network = await vpc.get(tx, place, input.VpcId!)
    checkLimit('routeTables', (await routeTable.list(tx, place)).filter(row => row.spec.vpc === network.id).length)
    const row = await createRouteTable(tx, { place, now, vpc: network.id, tags: tags('route-table') })
    return { RouteTable: await routeTable.viewOne(tx, row), ClientToken: input.ClientToken }
  },

  async DeleteRouteTable({ input, account, region, tx }) {
    const row = await routeTable.get(tx, { account, region }, input.RouteTableId!)
    const { Associations } = await routeTable.viewOne(tx, row)
    const named = (await vpcEndpoint.list(tx, row)).some(({ spec }) => spec.routeTables.includes(row.id))
    if (named || Associations!.length > 0) throw hasDependencies('routeTable', row.id)
    await tx.remove(row, 'deleted')
    return {}
  },

  /** Of a subnet, or of an internet gateway; those of address pools there are none. */
  async AssociateRouteTable({ input, account, region, tx }) {
    const place = { account, region }
    const table = await routeTable.get(tx, place, input.RouteTableId!)
    refuseMembers('AssociateRouteTable', input, ['PublicIpv4Pool'])
    if (input.SubnetId !== undefined && input.GatewayId !== undefined) {
      throw invalidCombination('The parameters subnetId and gatewayId cannot be used together.')
    }
    const edge = input.GatewayId === undefined ? undefined : await getGateway(tx, place, input.GatewayId)
    if (!edge && input.SubnetId === undefined) throw missingParameter('subnetId')
    const row = edge ?? await subnet.get(tx, place, input.SubnetId!)
    const { routeTable: before } = row.spec
    if (before?.id === table.id) return { AssociationId: before.association, AssociationState: associated }
    if (before) throw conflicting(table)
    return { AssociationId: await (edge ? associateEdge(tx, edge, table) : associate(tx, row as SubnetRow, table)), AssociationState: associated }
  },

  async DisassociateRouteTable({ input, account, region, tx }) {
    const owner = await ownerOf(tx, { account, region }, input.AssociationId!)
    if ('vpc' in owner) {
      throw new ApiError('InvalidParameterValue', `cannot disassociate the main route table association ${input.AssociationId}`)
    }
    await tx.release(SCOPE, input.AssociationId!)
    const none = { spec: { routeTable: undefined } }
    if ('gateway' in owner) await internetGateway.update(tx, owner.gateway, none, 'route-table-disassociated')
    else await subnet.update(tx, owner.subnet, none, 'route-table-disassociated')
    return {}
  },

  /** For a VPC's main association the VPC gets another main table. */
  async ReplaceRouteTableAssociation({ input, account, region, tx }) {
    const place = { account, region }
    const table = await routeTable.get(tx, place, input.RouteTableId!)
    const owner = await ownerOf(tx, place, input.AssociationId!)
    if ('subnet' in owner) return { NewAssociationId: await associate(tx, owner.subnet, table), AssociationState: associated }
    if ('gateway' in owner) return { NewAssociationId: await associateEdge(tx, owner.gateway, table), AssociationState: associated }
    checkNetwork(table, { id: owner.vpc.id, vpc: owner.vpc.id })
    if (await isEdge(tx, table)) throw mainOfNone(table)
    await tx.release(SCOPE, input.AssociationId!)
    const association = await claimId(tx, { scope: SCOPE, prefix: 'rtbassoc', owner: owner.vpc.id })
    await vpc.update(tx, owner.vpc, { spec: { mainRouteTable: { id: table.id, association } } }, 'main-route-table-replaced')
    return { NewAssociationId: association, AssociationState: associated }
  },
}

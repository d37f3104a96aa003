/** What may be asked of VPC endpoints. */
import type { Actions, Call } from '#kit/action'
import { describe, pageOf } from '#kit/describe'
import { ApiError } from '#kit/error'
import { matcher } from '#kit/filter'
import { Malformed, parsePolicy } from '#kit/policy/document'
import { zonesOf } from '#service/ec2/context'
import { invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { s3ListId, s3Service } from '#service/ec2/prefix-list/managed'
import { zoneId } from '#service/ec2/region/region'
import { routeTable } from '#service/ec2/route-table/route-table'
import { securityGroup } from '#service/ec2/security-group/security-group'
import { subnet } from '#service/ec2/subnet/subnet'
import { ROUTE_SCOPE, vpcEndpoint, type VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

const beyond = [
  'SubnetIds', 'SecurityGroupIds', 'IpAddressType', 'DnsOptions', 'PrivateDnsEnabled', 'SubnetConfigurations', 'ServiceNetworkArn',
  'ResourceConfigurationArn', 'ServiceRegion', 'AddSubnetIds', 'RemoveSubnetIds', 'AddSecurityGroupIds', 'RemoveSecurityGroupIds',
]

/** PrivateLink Guide, "Control access to VPC endpoints using endpoint policies": including white space. */
const MOST_POLICY = 20_480

/** A policy as it is kept; nothing stands for the default one. */
function readPolicy(document: string | undefined): { policy?: string } {
  if (document === undefined || document === '') return {}
  if (document.length > MOST_POLICY) throw new ApiError('InvalidPolicyDocument', `A policy has at most ${MOST_POLICY} characters.`)
  try {
    parsePolicy(document, { kind: 'resource', name: 'endpoint' })
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    throw new ApiError('InvalidPolicyDocument', `Invalid policy document: ${error.message}`)
  }
  return { policy: document }
}

/** Takes tables for an endpoint: each of its VPC, and of no other endpoint of the service. */
async function takeTables(call: Call<object>, { id, network, service, tables }: {
  id: string; network: string; service: string; tables: readonly string[]
}): Promise<string[]> {
  const rows = await routeTable.getAll(call.tx, call, tables)
  for (const row of rows) {
    if (row.spec.vpc !== network) {
      throw new ApiError('InvalidParameterValue', `Route table ${row.id} and endpoint belong to different networks`)
    }
    if (!await call.tx.claim(ROUTE_SCOPE, `${row.id}/${service}`, id)) {
      throw new ApiError('RouteAlreadyExists',
        `route table ${row.id} already has a route with destination-prefix-list-id ${s3ListId(call.region)}`)
    }
  }
  return rows.map(row => row.id)
}

async function modify(call: Call<sdk.ModifyVpcEndpointRequest>, row: VpcEndpointRow): Promise<void> {
  const { AddRouteTableIds: add = [], RemoveRouteTableIds: remove = [] } = call.input
  const { service, vpc: network, routeTables: before } = row.spec
  for (const table of remove) {
    routeTable.checkId(table)
    if (!before.includes(table)) throw new ApiError('InvalidRouteTableId.NotFound', `The endpoint has no route table '${table}'`)
    await call.tx.release(ROUTE_SCOPE, `${table}/${service}`)
  }
  const added = await takeTables(call, { id: row.id, network, service, tables: add })
  const routeTables = [...before.filter(table => !remove.includes(table)), ...added]
  const policy = call.input.ResetPolicy ? { policy: undefined } : readPolicy(call.input.PolicyDocument)
  await vpcEndpoint.update(call.tx, row, { spec: { routeTables, ...policy } }, 'modified')
}

const detailOf = (region: string): sdk.ServiceDetail => ({
  ServiceName: s3Service(region), ServiceType: [{ ServiceType: 'Gateway' }], ServiceRegion: region, AvailabilityZones: zonesOf(region),
  AvailabilityZoneIds: zonesOf(region).map(zoneId), Owner: 'amazon', BaseEndpointDnsNames: [`s3.${region}.amazonaws.com`],
  VpcEndpointPolicySupported: true, AcceptanceRequired: false, ManagesVpcEndpoints: false, Tags: [], SupportedIpAddressTypes: ['ipv4'],
})

export const actions: Actions<typeof sdk> = {
  DescribeVpcEndpoints: describe(vpcEndpoint, 'VpcEndpointIds', 'VpcEndpoints', { page: { least: 1, most: 1000 } }),

  /** Those that endpoints can be made for. */
  async DescribeVpcEndpointServices({ input, region }) {
    refuseMembers('DescribeVpcEndpointServices', input, ['ServiceRegions'])
    const matches = matcher<sdk.ServiceDetail, { tags: Record<string, string> }>(
      { 'owner': 'Owner', 'service-name': 'ServiceName', 'service-region': 'ServiceRegion', 'service-type': 'ServiceType.ServiceType' },
      input.Filters)
    const all = [detailOf(region)]
    const unknown = input.ServiceNames?.find(name => !all.some(detail => detail.ServiceName === name))
    if (unknown !== undefined) throw new ApiError('InvalidServiceName', `The Vpc Endpoint Service '${unknown}' does not exist`)
    const found = all.filter(detail => matches(detail, { tags: {} }))
    const { items, next } = pageOf(found, detail => detail.ServiceName!, input, 'endpoint-services', { least: 1, most: 1000 })
    return { ServiceNames: items.map(detail => detail.ServiceName!), ServiceDetails: items, NextToken: next }
  },

  async CreateVpcEndpoint(call) {
    const { input, account, region, tx, now, tags } = call
    const { VpcEndpointType: type = 'Gateway' } = input
    const network = await vpc.get(tx, call, input.VpcId!)
    // Looked up even where they ask for what is refused: ids are judged first.
    await routeTable.getAll(tx, call, input.RouteTableIds ?? [])
    await subnet.getAll(tx, call, input.SubnetIds ?? [])
    await securityGroup.getAll(tx, call, input.SecurityGroupIds ?? [])
    if (type !== 'Gateway') throw unsupported(`VPC endpoints of the type ${type}`)
    refuseMembers('CreateVpcEndpoint', input, beyond)
    if (input.ServiceName === undefined) throw missingParameter('ServiceName')
    if (input.ServiceName !== s3Service(region)) {
      if (/^com\.amazonaws\.[a-z0-9-]+\.[a-z0-9.-]+$/.test(input.ServiceName)) throw unsupported(`gateway endpoints for ${input.ServiceName}`)
      throw new ApiError('InvalidServiceName', `The Vpc Endpoint Service '${input.ServiceName}' does not exist`)
    }
    checkLimit('gatewayEndpoints', (await vpcEndpoint.list(tx, call)).length)
    const spec = { vpc: network.id, service: input.ServiceName, routeTables: [], ...readPolicy(input.PolicyDocument) }
    const made = vpcEndpoint.make({ account, region, now, tags: tags('vpc-endpoint'), spec, status: {} })
    const routeTables = await takeTables(call, {
      id: made.id, network: network.id, service: input.ServiceName, tables: [...new Set(input.RouteTableIds ?? [])],
    })
    const row = await tx.put({ ...made, spec: { ...spec, routeTables } }, 'created')
    return { VpcEndpoint: await vpcEndpoint.viewOne(tx, row), ClientToken: input.ClientToken }
  },

  async ModifyVpcEndpoint(call) {
    const row = await vpcEndpoint.get(call.tx, call, call.input.VpcEndpointId!)
    refuseMembers('ModifyVpcEndpoint', call.input, beyond)
    await modify(call, row)
    return { Return: true }
  },

  async DeleteVpcEndpoints({ input, account, region, tx }) {
    const unsuccessful: sdk.UnsuccessfulItem[] = []
    for (const id of new Set(input.VpcEndpointIds ?? [])) {
      const row = await vpcEndpoint.get(tx, { account, region }, id).catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.code !== vpcEndpoint.missing) throw error
        unsuccessful.push({ ResourceId: id, Error: { Code: error.code, Message: error.message } })
      })
      if (row) await tx.remove(row, 'deleted')
    }
    if (input.VpcEndpointIds?.length === 0) throw invalidValue('VpcEndpointIds', '')
    return { Unsuccessful: unsuccessful }
  },
}

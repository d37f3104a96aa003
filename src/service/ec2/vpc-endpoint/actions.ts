/** What may be asked of VPC endpoints. */
import { isDeepStrictEqual } from 'node:util'
import { resourceId } from '#base/id'
import type { Actions, Call } from '#kit/action'
import { describe, pageOf } from '#kit/describe'
import { ApiError } from '#kit/error'
import { matcher } from '#kit/filter'
import { Malformed, parsePolicy } from '#kit/policy/document'
import type { Context } from '#service/ec2/context'
import { incorrectState, invalidValue, missingParameter, refuseMembers, unsupported } from '#service/ec2/errors'
import { s3ListId } from '#service/ec2/prefix-list/managed'
import { routeTable } from '#service/ec2/route-table/route-table'
import { securityGroup } from '#service/ec2/security-group/security-group'
import { subnet } from '#service/ec2/subnet/subnet'
import { changeInside, createInside, invalid } from '#service/ec2/vpc-endpoint/interfaces'
import { details, serviceNamed, type EndpointType } from '#service/ec2/vpc-endpoint/services'
import { ROUTE_SCOPE, vpcEndpoint, type Spec, type Status, type VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { checkLimit } from '#service/ec2/vpc/limits'
import { vpc } from '#service/ec2/vpc/vpc'
import type * as sdk from '@aws-sdk/client-ec2'

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

/** What only one of the types has, in AWS's order and words (API Reference, CreateVpcEndpoint). */
const ofTables = ['RouteTableIds', 'AddRouteTableIds', 'RemoveRouteTableIds']
const ofInterfaces = [
  'SubnetIds', 'AddSubnetIds', 'RemoveSubnetIds', 'SecurityGroupIds', 'AddSecurityGroupIds', 'RemoveSecurityGroupIds', 'PrivateDnsEnabled',
  'SubnetConfigurations',
]
const beyond = ['ServiceNetworkArn', 'ResourceConfigurationArn', 'ServiceRegion']

function checkMembers(operation: string, input: object, type: EndpointType): void {
  refuseMembers(operation, input, beyond)
  const given = (name: string) => [(input as Record<string, unknown>)[name]].flat().some(value => value !== undefined && value !== false)
  const wrong = (type === 'Gateway' ? ofInterfaces : ofTables).find(given)
  if (wrong !== undefined) throw invalid(`${wrong} is only supported for ${type === 'Gateway' ? 'Interface' : 'Gateway'} type VPC Endpoints.`)
}

function typeOf(given: string | undefined): EndpointType {
  if (given === undefined || given === 'Gateway' || given === 'Interface') return given ?? 'Gateway'
  if (['GatewayLoadBalancer', 'Resource', 'ServiceNetwork', 'Tunnel'].includes(given)) throw unsupported(`VPC endpoints of the type ${given}`)
  throw invalidValue('VpcEndpointType', given)
}

/** The service of the request, which has endpoints of this type. */
function serviceOf({ input, region }: Call<sdk.CreateVpcEndpointRequest>, type: EndpointType): string {
  if (input.ServiceName === undefined) throw missingParameter('ServiceName')
  const service = serviceNamed(region, input.ServiceName)
  if (service?.types.includes(type)) return service.name
  if (service) throw invalid(`Endpoint type (${type}) does not match available service types ([${service.types.join(', ')}]).`)
  if (new RegExp(`^com\\.amazonaws\\.${region}\\.[a-z0-9.-]+$`).test(input.ServiceName)) throw unsupported(`endpoints for ${input.ServiceName}`)
  throw new ApiError('InvalidServiceName', `The Vpc Endpoint Service '${input.ServiceName}' does not exist`)
}

async function modify(call: Call<sdk.ModifyVpcEndpointRequest> & Pick<Context, 'home'>, row: VpcEndpointRow): Promise<void> {
  const { AddRouteTableIds: add = [], RemoveRouteTableIds: remove = [] } = call.input
  const { service, vpc: network, routeTables: before, inside } = row.spec
  const policy = call.input.ResetPolicy ? { policy: undefined } : readPolicy(call.input.PolicyDocument)
  if (inside) {
    const next = await changeInside(call, { id: row.id, network: await vpc.get(call.tx, call, network), service }, inside)
    const status: Status = isDeepStrictEqual(next, inside) ? row.status : { state: 'pending' }
    await vpcEndpoint.update(call.tx, row, { spec: { inside: next, ...policy }, status }, 'modified')
    return
  }
  for (const table of remove) {
    routeTable.checkId(table)
    if (!before.includes(table)) throw new ApiError('InvalidRouteTableId.NotFound', `The endpoint has no route table '${table}'`)
    await call.tx.release(ROUTE_SCOPE, `${table}/${service}`)
  }
  const added = await takeTables(call, { id: row.id, network, service, tables: add })
  const routeTables = [...before.filter(table => !remove.includes(table)), ...added]
  await vpcEndpoint.update(call.tx, row, { spec: { routeTables, ...policy } }, 'modified')
}

export const actions = ({ home }: Pick<Context, 'home'>): Actions<typeof sdk> => ({
  DescribeVpcEndpoints: describe(vpcEndpoint, 'VpcEndpointIds', 'VpcEndpoints', { page: { least: 1, most: 1000 } }),

  /** Those that endpoints can be made for. */
  async DescribeVpcEndpointServices({ input, region }) {
    refuseMembers('DescribeVpcEndpointServices', input, ['ServiceRegions'])
    const matches = matcher<sdk.ServiceDetail, { tags: Record<string, string> }>(
      { 'owner': 'Owner', 'service-name': 'ServiceName', 'service-region': 'ServiceRegion', 'service-type': 'ServiceType.ServiceType' },
      input.Filters)
    const all = details(region)
    const unknown = input.ServiceNames?.find(name => !all.some(detail => detail.ServiceName === name))
    if (unknown !== undefined) throw new ApiError('InvalidServiceName', `The Vpc Endpoint Service '${unknown}' does not exist`)
    const named = all.filter(detail => !input.ServiceNames?.length || input.ServiceNames.includes(detail.ServiceName!))
    const found = named.filter(detail => matches(detail, { tags: {} }))
    const key = (detail: sdk.ServiceDetail) => `${detail.ServiceName} ${detail.ServiceType![0]!.ServiceType}`
    const { items, next } = pageOf(found, key, input, 'endpoint-services', { least: 1, most: 1000 })
    return { ServiceNames: items.map(detail => detail.ServiceName!), ServiceDetails: items, NextToken: next }
  },

  async CreateVpcEndpoint(call) {
    const { input, account, region, tx, now, tags } = call
    const type = typeOf(input.VpcEndpointType)
    const network = await vpc.get(tx, call, input.VpcId!)
    // Looked up even where they ask for what is refused: ids are judged first.
    await routeTable.getAll(tx, call, input.RouteTableIds ?? [])
    await subnet.getAll(tx, call, input.SubnetIds ?? [])
    await securityGroup.getAll(tx, call, input.SecurityGroupIds ?? [])
    checkMembers('CreateVpcEndpoint', input, type)
    const service = serviceOf(call, type)
    const spec = { vpc: network.id, service, routeTables: [], ...readPolicy(input.PolicyDocument) }
    const make = (more: Partial<Spec>, status: Status): VpcEndpointRow =>
      vpcEndpoint.make({ account, region, now, id, tags: tags('vpc-endpoint'), spec: { ...spec, ...more }, status })
    const id = resourceId(vpcEndpoint.prefix)
    let row: VpcEndpointRow
    if (type === 'Interface') row = make({ inside: await createInside({ ...call, home }, { id, network, service }) }, { state: 'pending' })
    else {
      checkLimit('gatewayEndpoints', (await vpcEndpoint.list(tx, call)).filter(other => !other.spec.inside).length)
      const tables = [...new Set(input.RouteTableIds ?? [])]
      row = make({ routeTables: await takeTables(call, { id, network: network.id, service, tables }) }, {})
    }
    return { VpcEndpoint: await vpcEndpoint.viewOne(tx, await tx.put(row, 'created')), ClientToken: input.ClientToken }
  },

  async ModifyVpcEndpoint(call) {
    const row = await vpcEndpoint.get(call.tx, call, call.input.VpcEndpointId!)
    checkMembers('ModifyVpcEndpoint', call.input, row.spec.inside ? 'Interface' : 'Gateway')
    if (row.spec.inside?.desired === 'absent') throw incorrectState(`The VPC endpoint ${row.id} is being deleted.`)
    await modify({ ...call, home }, row)
    return { Return: true }
  },

  async DeleteVpcEndpoints({ input, account, region, tx }) {
    const unsuccessful: sdk.UnsuccessfulItem[] = []
    for (const id of new Set(input.VpcEndpointIds ?? [])) {
      const row = await vpcEndpoint.get(tx, { account, region }, id).catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.code !== vpcEndpoint.missing) throw error
        unsuccessful.push({ ResourceId: id, Error: { Code: error.code, Message: error.message } })
      })
      const inside = row?.spec.inside
      if (inside) await vpcEndpoint.update(tx, row, { spec: { inside: { ...inside, desired: 'absent' } } }, 'deleting')
      else if (row) await tx.remove(row, 'deleted')
    }
    if (input.VpcEndpointIds?.length === 0) throw invalidValue('VpcEndpointIds', '')
    return { Unsuccessful: unsuccessful }
  },
})
